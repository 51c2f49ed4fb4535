// What a user of OpenAI's SDK does with Chat Completions and Responses, from Node, with whichever major.
// Run as `node openai_tour.cjs PACKAGE BASE_URL KEY MODEL…` by tests/sdks/test_tours.py.

const tour = require("./tour.cjs");

const described = { name: tour.NAME, description: tour.ABOUT, parameters: tour.CITY };
const pictureUrl = `data:image/png;base64,${tour.PNG}`;
const file = { filename: "a.pdf", file_data: `data:application/pdf;base64,${tour.PDF}` };

async function chat({ OpenAI }, baseURL, apiKey, model) {
  const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
  const user = (content) => [{ role: "user", content }];
  const ask = (content, more) =>
    client.chat.completions.create({ model, messages: user(content), ...more });
  const text = async (...asked) => (await ask(...asked)).choices[0].message.content;
  const spoken = async function* (stream) {
    for await (const chunk of await stream) yield chunk.choices[0]?.delta.content ?? "";
  };
  const looked = (part) => text([{ type: "text", text: tour.LOOK }, part]);

  const models = [];
  for await (const found of await client.models.list()) models.push(found.id);
  const answer = await ask(tour.HELLO);
  const tools = [{ type: "function", function: described }];
  const [called] = (await ask(tour.RAIN, { tools, tool_choice: "required" })).choices;
  const [call] = called.message.tool_calls;
  const history = [
    ...user(tour.RAIN),
    called.message,
    { role: "tool", tool_call_id: call.id, content: tour.WEATHER },
  ];
  const after = await client.chat.completions.stream({ model, tools, messages: history }).finalContent();
  const thought = (await ask(tour.HELLO, { reasoning_effort: "high" })).choices[0].message;
  const form = { type: "json_schema", json_schema: { name: "book", strict: true, schema: tour.BOOK } };
  const nobody = new OpenAI({ baseURL, apiKey: "sk-nobody", maxRetries: 0 });
  return {
    models: models.sort(),
    text: answer.choices[0].message.content,
    finish: answer.choices[0].finish_reason,
    tokens: answer.usage.total_tokens,
    stream: await tour.joined(spoken(ask(tour.HELLO, { stream: true }))),
    call: [call.function.name, Object.keys(JSON.parse(call.function.arguments)), called.finish_reason],
    after_call: after,
    thinking: thought.reasoning_content ?? "",
    picture: await looked({ type: "image_url", image_url: { url: pictureUrl } }),
    document: await looked({ type: "file", file }),
    form: Object.keys(JSON.parse(await text(tour.FORM, { response_format: form }))).sort(),
    wrong_key: await tour.failure(() => nobody.models.list()),
    wrong_model: await tour.failure(() => ask(tour.HELLO, { model: "no-such-model" })),
    wrong_body: await tour.failure(() => ask(tour.HELLO, { messages: "hello" })),
    limited: await tour.failure(() => ask(tour.LIMITED)),
    overloaded: await tour.failure(() => ask(tour.OVERLOADED)),
    broken: await tour.broken(spoken(ask(tour.BROKEN, { stream: true }))),
  };
}

async function responses({ OpenAI }, baseURL, apiKey, model) {
  const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
  const ask = (input, more) => client.responses.create({ model, input, ...more });
  const text = async (...asked) => (await ask(...asked)).output_text;
  // That the response failed is its last event, which the SDK leaves to its user.
  const spoken = async function* (stream) {
    for await (const event of await stream) {
      if (event.type === "response.output_text.delta") yield event.delta;
      if (event.type === "response.failed")
        throw new OpenAI.APIError(undefined, undefined, event.response.error.message, undefined);
    }
  };
  const looked = (part) => text([{ role: "user", content: [{ type: "input_text", text: tour.LOOK }, part] }]);

  const answer = await ask(tour.HELLO);
  const tools = [{ type: "function", ...described, strict: false }];
  const called = await ask(tour.RAIN, { tools, tool_choice: "required" });
  const call = called.output.find((item) => item.type === "function_call");
  const result = { type: "function_call_output", call_id: call.call_id, output: tour.WEATHER };
  const input = [{ role: "user", content: tour.RAIN }, ...called.output, result];
  const after = await client.responses.stream({ model, input, tools }).finalResponse();
  const thought = await ask(tour.HELLO, { reasoning: { effort: "high", summary: "auto" } });
  const summaries = thought.output.filter((item) => item.type === "reasoning").flatMap((item) => item.summary);
  const form = { format: { type: "json_schema", name: "book", strict: true, schema: tour.BOOK } };
  return {
    text: answer.output_text,
    finish: answer.status,
    tokens: answer.usage.total_tokens,
    stream: await tour.joined(spoken(ask(tour.HELLO, { stream: true }))),
    call: [call.name, Object.keys(JSON.parse(call.arguments)), called.status],
    after_call: after.output_text,
    thinking: summaries.map((part) => part.text).join(""),
    picture: await looked({ type: "input_image", detail: "auto", image_url: pictureUrl }),
    document: await looked({ type: "input_file", ...file }),
    form: Object.keys(JSON.parse(await text(tour.FORM, { text: form }))).sort(),
    wrong_model: await tour.failure(() => ask(tour.HELLO, { model: "no-such-model" })),
    wrong_body: await tour.failure(() => ask(7)),
    limited: await tour.failure(() => ask(tour.LIMITED)),
    overloaded: await tour.failure(() => ask(tour.OVERLOADED)),
    broken: await tour.broken(spoken(ask(tour.BROKEN, { stream: true }))),
  };
}

tour.main(async (...where) => ({ chat: await chat(...where), responses: await responses(...where) }));
