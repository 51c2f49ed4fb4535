// What an OpenAI user does first, from Node; prints what came of it as JSON.
// Run as `node openai_tour.cjs PACKAGE BASE_URL KEY MODEL` by tests/sdks/test_openai_tours.py, for each major.

const [packageName, baseURL, apiKey, model] = process.argv.slice(2);
const { OpenAI } = require(packageName);

const tool = {
  type: "function",
  function: {
    name: "weather",
    description: "The weather in a city.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

async function main() {
  const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
  const ask = { model, messages: [{ role: "user", content: "Say hello to the tour." }] };

  const models = [];
  for await (const found of await client.models.list()) models.push(found.id);
  const answer = await client.chat.completions.create(ask);
  const chunks = [];
  const stream = { stream: true, stream_options: { include_usage: true } };
  for await (const chunk of await client.chat.completions.create({ ...ask, ...stream })) chunks.push(chunk);
  const [called] = (await client.chat.completions.create({ ...ask, tools: [tool], tool_choice: "required" })).choices;

  return {
    models: models.sort(),
    text: answer.choices[0].message.content,
    streamed: chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""),
    finish: answer.choices[0].finish_reason,
    tokens: [answer.usage.total_tokens, chunks.at(-1).usage.total_tokens],
    tool: called.message.tool_calls[0].function.name,
    tool_finish: called.finish_reason,
    wrong_key: await failure(new OpenAI({ baseURL, apiKey: "sk-nobody", maxRetries: 0 }), ask),
    wrong_model: await failure(client, { ...ask, model: "no-such-model" }),
    wrong_body: await failure(client, { ...ask, messages: "hello" }),
  };
}

// The class and status of the error that the SDK throws.
async function failure(client, ask) {
  try {
    await client.chat.completions.create(ask);
  } catch (error) {
    return [error.constructor.name, error.status];
  }
  return [];
}

main().then((facts) => console.log(JSON.stringify(facts)));
