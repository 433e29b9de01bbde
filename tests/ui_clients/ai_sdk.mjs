// Vercel's AI SDK (npm ai) against /ai-sdk/{agent}: its transport and its reader, which checks each chunk.

import assert from "node:assert/strict";
import { AbstractChat, DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses } from "ai";

const api = `${process.env.HOLDFAST_URL}/ai-sdk/payer`;

// What useChat does without React.
class Chat extends AbstractChat {
  constructor(id, options = {}) {
    const state = {
      status: "ready",
      error: undefined,
      messages: [],
      pushMessage: (message) => void (state.messages = [...state.messages, message]),
      popMessage: () => void (state.messages = state.messages.slice(0, -1)),
      replaceMessage: (index, message) => void (state.messages = state.messages.with(index, structuredClone(message))),
      snapshot: (thing) => structuredClone(thing),
    };
    super({ id, state, transport: new DefaultChatTransport({ api }), ...options });
  }
  text() {
    return this.lastMessage.parts.filter((part) => part.type === "text").map((part) => part.text).join("");
  }
}

{
  const chat = new Chat("ai-hello");
  await chat.sendMessage({ text: "hello" });
  assert.equal(chat.status, "ready", String(chat.error));
  assert.equal(chat.text(), "Hello from the script.");
  await chat.sendMessage({ text: "hello again" });
  assert.equal(chat.messages.length, 4);
  console.log("ai sdk: two messages of a chat");
}
{
  const chat = new Chat("ai-pay", { sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses });
  await chat.sendMessage({ text: "pay, please" });
  const part = chat.lastMessage.parts.find((one) => one.type === "dynamic-tool");
  assert.equal(part.state, "approval-requested");
  assert.deepEqual(part.input, { amount: 250 });
  await chat.addToolApprovalResponse({ id: part.approval.id, approved: true });
  while (chat.status !== "ready" || !chat.text().includes("settled")) {
    assert.notEqual(chat.status, "error", String(chat.error));
    await new Promise(setImmediate);
  }
  const done = chat.lastMessage.parts.find((one) => one.type === "dynamic-tool");
  assert.equal(done.state, "output-available");
  assert.equal(done.output.changes, 1);
  assert.equal(chat.messages.length, 2);
  console.log("ai sdk: a question and its answer");
}
{
  const chat = new Chat("ai-again");
  await chat.sendMessage({ text: "again" });
  assert.equal(chat.text(), "Alpha beta gamma delta epsilon zeta eta theta.");
  console.log("ai sdk: an answer that breaks off");
}
{
  const chat = new Chat("ai-slowly");
  const sent = chat.sendMessage({ text: "slowly" });
  const begun = () => chat.messages.length === 2 && chat.text().includes("three");
  while (!begun()) await new Promise((next) => setTimeout(next, 5));
  const other = new Chat("ai-slowly");
  await other.resumeStream();
  await sent;
  for (const one of [chat, other]) assert.match(one.text(), /^One two .* nineteen twenty\.$/);
  const late = new Chat("ai-slowly");
  await late.resumeStream();
  assert.equal(late.messages.length, 0);
  console.log("ai sdk: a chat is taken up by another page");
}
{
  const chat = new Chat("ai-refuse");
  await chat.sendMessage({ text: "refuse" });
  assert.match(String(chat.error), /not like that/);
  console.log("ai sdk: a failure");
}
