// What a user of Anthropic's SDK does, from Node, with whichever major.
// Run as `node anthropic_tour.cjs PACKAGE BASE_URL KEY MODEL…` by tests/sdks/test_tours.py.

const tour = require("./tour.cjs");

const tools = [{ name: tour.NAME, description: tour.ABOUT, input_schema: tour.CITY }];
const source = (media_type, data) => ({ type: "base64", media_type, data });
const told = (message) =>
  message.content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("");

async function messages({ Anthropic }, baseURL, apiKey, model) {
  const client = new Anthropic({ baseURL, apiKey, maxRetries: 0 });
  const said = (content, more) => ({
    model,
    max_tokens: 4096,
    messages: [{ role: "user", content }],
    ...more,
  });
  const ask = (content, more) => client.messages.create(said(content, more));
  const streamed = (content, more) => client.messages.stream(said(content, more)).finalMessage();
  const spoken = async function* (stream) {
    for await (const event of await stream)
      if (event.type === "content_block_delta" && event.delta.type === "text_delta") yield event.delta.text;
  };
  const looked = async (part) => told(await ask([{ type: "text", text: tour.LOOK }, part]));

  const models = [];
  for await (const found of await client.models.list()) models.push(found.id);
  const answer = await ask(tour.HELLO);
  const called = await ask(tour.RAIN, { tools, tool_choice: { type: "any" } });
  const call = called.content.find((block) => block.type === "tool_use");
  const result = { type: "tool_result", tool_use_id: call.id, content: tour.WEATHER };
  const history = [
    { role: "user", content: tour.RAIN },
    { role: "assistant", content: called.content },
    { role: "user", content: [result] },
  ];
  const thought = await streamed(tour.HELLO, { thinking: { type: "enabled", budget_tokens: 1024 } });
  const thoughts = thought.content.filter((block) => block.type === "thinking");
  const form = { output_config: { format: { type: "json_schema", schema: tour.BOOK } } };
  const nobody = new Anthropic({ baseURL, apiKey: "sk-nobody", maxRetries: 0 });
  const counted = { model, messages: [{ role: "user", content: tour.HELLO }] };
  return {
    models: models.sort(),
    text: answer.content[0].text,
    finish: answer.stop_reason,
    tokens: answer.usage.input_tokens + answer.usage.output_tokens,
    stream: await tour.joined(spoken(ask(tour.HELLO, { stream: true }))),
    counted: (await client.messages.countTokens(counted)).input_tokens,
    call: [call.name, Object.keys(call.input), called.stop_reason],
    after_call: told(await streamed("", { messages: history, tools })),
    thinking: thoughts.map((block) => block.thinking).join(""),
    signed: thoughts.every((block) => block.signature),
    picture: await looked({ type: "image", source: source("image/png", tour.PNG) }),
    document: await looked({ type: "document", source: source("application/pdf", tour.PDF) }),
    form: Object.keys(JSON.parse(told(await ask(tour.FORM, form)))).sort(),
    wrong_key: await tour.failure(() => nobody.messages.create(said(tour.HELLO))),
    wrong_model: await tour.failure(() => ask(tour.HELLO, { model: "no-such-model" })),
    wrong_body: await tour.failure(() => ask(tour.HELLO, { messages: [] })),
    limited: await tour.failure(() => ask(tour.LIMITED)),
    overloaded: await tour.failure(() => ask(tour.OVERLOADED)),
    broken: await tour.broken(spoken(ask(tour.BROKEN, { stream: true }))),
  };
}

tour.main(async (...where) => ({ messages: await messages(...where) }));
