// What a user of Google's Gen AI SDK does, from Node, with whichever major.
// Run as `node google_genai_tour.cjs PACKAGE BASE_URL KEY MODEL…` by tests/sdks/test_tours.py.

const tour = require("./tour.cjs");

const tools = [
  { functionDeclarations: [{ name: tour.NAME, description: tour.ABOUT, parametersJsonSchema: tour.CITY }] },
];

async function generate({ GoogleGenAI }, baseUrl, apiKey, model) {
  const clientOf = (key) => new GoogleGenAI({ apiKey: key, vertexai: false, httpOptions: { baseUrl } });
  const client = clientOf(apiKey);
  const ask = (contents, config, more) => client.models.generateContent({ model, contents, config, ...more });
  const streamed = (contents, config) => client.models.generateContentStream({ model, contents, config });
  const spoken = async function* (stream) {
    for await (const chunk of await stream)
      for (const part of chunk.candidates?.[0]?.content?.parts ?? []) if (!part.thought) yield part.text ?? "";
  };
  const looked = async (mimeType, data) => (await ask([{ text: tour.LOOK }, { inlineData: { mimeType, data } }])).text;

  const models = [];
  for await (const found of await client.models.list()) models.push(found.name.replace("models/", ""));
  const answer = await ask(tour.HELLO);
  const toolConfig = { functionCallingConfig: { mode: "ANY" } };
  const called = await ask(tour.RAIN, { tools, toolConfig });
  const [call] = called.functionCalls;
  const functionResponse = { id: call.id, name: call.name, response: { output: tour.WEATHER } };
  const history = [
    { role: "user", parts: [{ text: tour.RAIN }] },
    called.candidates[0].content,
    { role: "user", parts: [{ functionResponse }] },
  ];
  const thought = await ask(tour.HELLO, { thinkingConfig: { includeThoughts: true, thinkingLevel: "HIGH" } });
  const thoughts = thought.candidates[0].content.parts.filter((part) => part.thought);
  const form = { responseMimeType: "application/json", responseJsonSchema: tour.BOOK };
  const nobody = clientOf("sk-nobody");
  return {
    models: models.sort(),
    text: answer.text,
    finish: answer.candidates[0].finishReason,
    tokens: answer.usageMetadata.totalTokenCount,
    stream: await tour.joined(spoken(streamed(tour.HELLO))),
    counted: (await client.models.countTokens({ model, contents: tour.HELLO })).totalTokens,
    call: [call.name, Object.keys(call.args), called.candidates[0].finishReason],
    after_call: await tour.joined(spoken(streamed(history, { tools }))),
    thinking: thoughts.map((part) => part.text).join(""),
    picture: await looked("image/png", tour.PNG),
    document: await looked("application/pdf", tour.PDF),
    form: Object.keys(JSON.parse((await ask(tour.FORM, form)).text)).sort(),
    wrong_key: await tour.failure(() => nobody.models.generateContent({ model, contents: "hello" })),
    wrong_model: await tour.failure(() => ask(tour.HELLO, {}, { model: "no-such-model" })),
    wrong_body: await tour.failure(() => ask([{ role: "robot", parts: [{ text: "hello" }] }])),
    limited: await tour.failure(() => ask(tour.LIMITED)),
    overloaded: await tour.failure(() => ask(tour.OVERLOADED)),
    broken: await tour.broken(spoken(streamed(tour.BROKEN))),
  };
}

tour.main(async (...where) => ({ generate: await generate(...where) }));
