#pragma once

// Values: what the expressions of one block see, `input` and `blocks`, and their evaluation in the sandbox.
// What a block came to travels as the JSON text that it was stored as, so that numbers arrive as they were.
// One run of one block, on one thread. What it is given may throw, and it lets that through.

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "block/block.h"
#include "holdfast/status.h"
#include "wire/message.h"

namespace holdfast::flows {

inline constexpr std::size_t kMaxTemplates = 256;  // of one block: each is a call of the sandbox

struct ValueSources {
  std::function<std::string()> input;                    // JSON
  std::function<std::string(std::size_t block)> result;  // JSON; null of one that was skipped
  // In a body: of the blocks around it, and what its round is about.
  const Flow* around = nullptr;
  std::function<std::string(std::size_t block)> result_around = {};
  std::vector<std::pair<std::string_view, std::string>> names = {};  // JSON
  // INVALID_ARGUMENT, FAILED_PRECONDITION: nothing that waiting would mend.
  std::function<Result<sandbox::Reply>(const sandbox::Request& request)> evaluate;
};

// Thrown by what gives results: there is no room for one. Whoever runs the block makes it the block's
// failure.
class TooLarge : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using Evaluated = std::expected<std::string, BlockFailure>;  // JSON

class Values {
 public:
  // All outlive it.
  Values(const Flow& flow, const FlowBlock& spec, const BoundBlock& block, ValueSources sources)
      : flow_(flow), spec_(spec), block_(block), sources_(std::move(sources)) {}

  const std::string& input();
  // The body of a function, in JavaScript.
  Evaluated script(const std::string& code);
  // The same in Python.
  Evaluated python(const std::string& code);
  // And by Monty.
  Evaluated monty(const std::string& code);
  // `tree`, each text with {{ }} in it filled, its members in their order.
  Evaluated filled(const Written& tree);
  // {"input", "blocks"}: what rules see that are no JavaScript.
  std::expected<Json, BlockFailure> document();
  // What comes is not for a result: it may be as large, and take as long, as the sandbox allows.
  bool is_large = false;
  // Those before it that ended by the outlet that this one needs, in the order of `needs`. Given by whoever
  // runs it.
  std::vector<std::string> met;

 private:
  Evaluated evaluate(sandbox::Kind kind, const std::string& code);
  Evaluated fill(const Written& tree, std::size_t& templates);
  const std::string& inputs();
  std::string all_results();
  std::optional<std::string> named(std::string_view text);

  const Flow& flow_;
  const FlowBlock& spec_;
  const BoundBlock& block_;
  const ValueSources sources_;
  std::optional<std::string> input_;
  std::optional<std::string> inputs_;  // of the sandbox
};

// A text that holds an expression.
inline bool is_template(std::string_view text) {
  return text.find("{{") != std::string_view::npos;
}
template <class Tree>
  requires requires(const Tree& tree) { tree.is_string(); }
bool is_template(const Tree& value) {
  return value.is_string() && is_template(std::string_view(value.template get_ref<const std::string&>()));
}
// What stands in a text that is one {{ name }} and nothing else, also blocks.ID; else empty.
std::string_view plain_name(std::string_view text);

}  // namespace holdfast::flows
