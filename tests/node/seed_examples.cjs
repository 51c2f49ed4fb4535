// The Node examples of seed 000 §6, as written there; prints the text of the answer as JSON.
// Run as `node seed_examples.cjs PACKAGE BASE_URL KEY` by tests/seeds/test_seed_sdks.py, for each major.

const [packageName, baseURL, apiKey] = process.argv.slice(2);
const messages = [{ role: "user", content: "Hello!" }];

async function openai() {
  const { OpenAI } = require(packageName);
  const openai = new OpenAI({ apiKey, baseURL });
  const completion = await openai.chat.completions.create({ model: "Gemini-3.5-Flash", messages });
  return completion.choices[0].message.content;
}

async function anthropic() {
  const { Anthropic } = require(packageName);
  const anthropic = new Anthropic({ apiKey, baseURL });
  const message = await anthropic.messages.create({
    model: "Claude-Sonnet-4.6",
    max_tokens: 1024,
    system: "You are a helpful assistant.",
    messages,
  });
  return message.content[0].text;
}

(packageName.startsWith("openai") ? openai() : anthropic()).then((text) => console.log(JSON.stringify(text)));
