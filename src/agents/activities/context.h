#pragma once

// What a model is told of a conversation, by the context policy of its agent: which messages, how long tool
// results may be, when it is too much, and what a summary would stand for. Pure.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "activities/transcript.h"
#include "definition/definition.h"
#include "model/message.h"

namespace holdfast::agent {

// The first message if it is pinned, the summary, what was said behind it, and `answers`, which are not
// stored yet. Without a policy: everything.
std::vector<model::Message> context_messages(const AgentDefinition& agent, const Transcript& transcript,
                                             const std::vector<model::Message>& answers);

// Tokens of the next call: those that the provider counted for the last one (0: not known) and a quarter of
// the bytes that came after it.
std::int64_t expected_tokens(const AgentDefinition& agent, const std::vector<model::Message>& messages,
                             const std::vector<model::Message>& answers, std::int64_t told_tokens);

// What the next summary stands for: a piece of `said`, which it never cuts between a call and its result.
struct Cut {
  std::size_t begin = 0;
  std::size_t end = 0;
};
// None: nothing can be left out, or not enough to be worth a call.
std::optional<Cut> cut_of(const AgentDefinition& agent, const Transcript& transcript);

// The piece as text, for a model to summarize: what was said is material, whoever said it.
std::string material_of(const Transcript& transcript, const Cut& cut);
std::string summary_instructions(int max_tokens);

}  // namespace holdfast::agent
