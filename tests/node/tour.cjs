// What every tour says, whichever vendor's SDK says it.

const HELLO = "Say hello to the tour.";
const CITY = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const BOOK = {
  type: "object",
  properties: { title: { type: "string" }, year: { type: "integer" } },
  required: ["title", "year"],
  additionalProperties: false,
};

// One red pixel, and a document without a page.
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";
const PDF = Buffer.from(
  "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
).toString("base64");

// The class and status of the error that the SDK throws.
async function failure(run) {
  try {
    await run();
  } catch (error) {
    return [error.constructor.name, error.status ?? null];
  }
  return [];
}

// Whether words came before the stream broke, and the class of the error that the SDK threw then.
async function broken(pieces) {
  let heard = "";
  try {
    for await (const piece of pieces) heard += piece;
  } catch (error) {
    return [heard.startsWith("You said: one"), error.constructor.name];
  }
  return [];
}

async function joined(pieces) {
  let text = "";
  for await (const piece of pieces) text += piece;
  return text;
}

// `node tour.cjs PACKAGE BASE_URL KEY MODEL…`: the facts of each model as one JSON object.
async function main(tour) {
  const [packageName, baseURL, apiKey, ...models] = process.argv.slice(2);
  const facts = {};
  for (const model of models) facts[model] = await tour(require(packageName), baseURL, apiKey, model);
  console.log(JSON.stringify(facts));
}

module.exports = {
  HELLO,
  LOOK: "What do you see?",
  RAIN: "Does it rain in Paris?",
  FORM: "Name one book.",
  WEATHER: "rain, 12 degrees",
  LIMITED: "!scene rate_limit\nhello",
  OVERLOADED: "!scene error status=503\nhello",
  BROKEN: "!scene cut=14\none two three four five six seven eight nine ten eleven twelve thirteen fourteen",
  NAME: "weather",
  ABOUT: "The weather in a city.",
  CITY,
  BOOK,
  PNG,
  PDF,
  failure,
  broken,
  joined,
  main,
};
