#include "refund/hello_agent.h"

#include "base/check.h"
#include "refund/agent_files.h"

namespace holdfast::demo {

namespace {

constexpr std::string_view kBefore = R"yaml(apiVersion: holdfast.dev/v1
kind: Agent
metadata:
  name: hello
  description: Says hello, and what it was told. Its model is a script, so it needs no key.
spec:
  model:
    provider: openai
    base_url: )yaml";

constexpr std::string_view kBehind = R"yaml(
    name: hello
    timeout: 60s
  prompt: You greet whoever speaks to you, and say what you were told.
)yaml";

// Before the rules of the refund agent, which are of any model.
constexpr std::string_view kRules = R"yaml(
  - when: {model: hello, turn: 0}
    text: "Hello! I am an agent of Holdfast on a scripted model: no key, no network. You said: {{last}}"
  - when: {model: hello}
    text: "I still hear you. Now you said: {{last}}"
)yaml";

// Behind them: whoever goes on when the refund is done.
constexpr std::string_view kLast = R"yaml(
  - text: "That is all that I can do here. For another refund begin another conversation."
)yaml";

}  // namespace

std::string hello_agent(const std::string& model_url) {
  return std::string(kBefore).append(model_url).append(kBehind);
}

std::string dev_script() {
  std::string script = refund_script();
  const auto insert = [&script](std::string_view behind, std::string_view what) {
    const std::size_t at = script.find(behind);
    HF_CHECK(at != std::string::npos);
    script.insert(at + behind.size(), what);
  };
  insert("models: [scripted", ", hello");
  insert("replies:\n", kRules.substr(1));
  return script.append(kLast.substr(1));
}

}  // namespace holdfast::demo
