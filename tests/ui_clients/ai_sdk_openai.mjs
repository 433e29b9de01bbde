// Vercel's AI SDK with its provider for OpenAI (npm @ai-sdk/openai) against /v1, told to store nothing, as where no data may be kept.

import assert from "node:assert/strict";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, streamText } from "ai";

const base = process.env.HOLDFAST_URL;
const openai = createOpenAI({ baseURL: `${base}/v1`, apiKey: "none" });
const model = openai.responses("payer");
const unstored = { model, maxRetries: 0, providerOptions: { openai: { store: false, include: ["reasoning.encrypted_content"] } } };

const get = async (path) => (await fetch(base + path)).json();

async function isGone(result) {
  const id = (await result.providerMetadata).openai.responseId;
  assert.equal((await fetch(`${base}/v1/responses/${id}`)).status, 404);
}

{
  const messages = [{ role: "user", content: "hello" }];
  const first = await generateText({ ...unstored, messages });
  assert.equal(first.text, "Hello from the script.");
  await isGone(first);
  messages.push(...first.response.messages, { role: "user", content: "and now?" });
  const second = await generateText({ ...unstored, messages });
  assert.equal(second.text, "That is settled."); // the script counts turns: the answer was sent again, and not its id
  await isGone(second);
  console.log("ai sdk, openai: a conversation that its client keeps");
}
{
  const result = streamText({ ...unstored, prompt: "slowly" });
  let text = "";
  for await (const piece of result.textStream) text += piece;
  assert.match(text, /^One two .* nineteen twenty\.$/);
  await isGone(result);
  console.log("ai sdk, openai: a stream");
}
{
  const messages = [{ role: "user", content: "pay, please" }];
  const asking = generateText({ ...unstored, messages });
  let approval;
  while (!approval) [approval] = (await get("/api/v1/approvals?status=pending")).approvals;
  const body = JSON.stringify({ decision: "approve", arguments_sha256: approval.arguments_sha256 });
  const decided = await fetch(`${base}/api/v1/approvals/${approval.id}/decision`, { method: "POST", body, headers: { "Content-Type": "application/json" } });
  assert.equal(decided.status, 200);
  const paid = await asking;
  assert.match(paid.text, /That is settled\.$/);
  messages.push(...paid.response.messages, { role: "user", content: "thanks" });
  const next = await generateText({ ...unstored, messages });
  assert.ok(next.text);
  await isGone(next);
  console.log("ai sdk, openai: a call of the agent's, and the turn behind it");
}
