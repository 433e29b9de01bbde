// What became of a case, against what it expects.

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_diff.h"
#include "base/text.h"
#include "trial/cases.h"

namespace holdfast::flows {

namespace {

constexpr std::size_t kMaxShown = 200;       // bytes of a value
constexpr std::size_t kMaxDifferences = 10;  // of one value

std::string shown(const Json& value) {
  return std::string(cut_text(dump_json(value), kMaxShown));
}

class Judge {
 public:
  Judge(const Program& program, const Trial& trial) : program_(program), trial_(trial) {}

  void outlets(const Expected& expect);
  void values(const Expected& expect);
  void end(const Expected& expect);
  std::vector<std::string> take() { return std::move(wrong_); }

 private:
  std::string id(std::size_t block) const { return program_.flow.blocks[block].id; }
  static std::string name(std::string_view outlet) {
    return outlet == protocol::kFlowSkipped ? "skipped" : std::string(outlet);
  }
  void same(const std::string& what, const Json& expected, const std::string& was);

  const Program& program_;
  const Trial& trial_;
  std::vector<std::string> wrong_;
};

void Judge::outlets(const Expected& expect) {
  for (const auto& [block, outlet] : expect.outlets) {
    const TrialBlock* was = trial_.find(block);
    if (was == nullptr)
      wrong_.push_back(fmt::format("{}: expected {}, it was not reached", id(block), name(outlet)));
    else if (was->outlet != outlet)
      wrong_.push_back(fmt::format("{}: expected {}, it was {}", id(block), name(outlet), name(was->outlet)));
  }
}

void Judge::same(const std::string& what, const Json& expected, const std::string& was) {
  const auto value = read_json(was, kMaxJsonDepth, Integers::kExact);
  if (!value) return wrong_.push_back(fmt::format("{}: {} has numbers that cannot be compared", what, was));
  if (expected == *value) return;
  if (expected.is_structured() && expected.type() == value->type()) {
    std::size_t told = 0;
    for (const JsonChange& change : json_diff(expected, *value)) {
      if (++told > kMaxDifferences) return wrong_.push_back(fmt::format("{}: and more", what));
      wrong_.push_back(fmt::format("{} at {}: expected {}, it was {}", what, change.path,
                                   shown(change.before), shown(change.after)));
    }
    return;
  }
  wrong_.push_back(fmt::format("{}: expected {}, it was {}", what, shown(expected), shown(*value)));
}

void Judge::values(const Expected& expect) {
  for (const auto& [block, expected] : expect.results) {
    const TrialBlock* was = trial_.find(block);
    if (was == nullptr || was->outlet == protocol::kFlowSkipped)
      wrong_.push_back(fmt::format("{}: expected a result, it did not run", id(block)));
    else
      same(fmt::format("result of {}", id(block)), expected, was->value);
  }
  for (const auto& [block, expected] : expect.arguments) {
    const TrialBlock* was = trial_.find(block);
    if (was == nullptr || was->arguments.empty())
      wrong_.push_back(fmt::format("{}: expected a call, there was none", id(block)));
    else
      same(fmt::format("arguments of {}", id(block)), expected, was->arguments);
  }
}

void Judge::end(const Expected& expect) {
  const auto& failure = trial_.failure;
  if (!expect.failed_block) {
    if (failure)
      wrong_.push_back(fmt::format("block `{}` failed: {}: {}", failure->block, failure->type,
                                   cut_text(failure->message, kMaxShown)));
    else if (expect.output)
      same("output", *expect.output, trial_.output);
    return;
  }
  if (!failure)
    return wrong_.push_back(
        fmt::format("expected `{}` to fail, and the run did not", id(*expect.failed_block)));
  if (failure->block != id(*expect.failed_block))
    wrong_.push_back(
        fmt::format("expected `{}` to fail, it was `{}`", id(*expect.failed_block), failure->block));
  if (!expect.error_type.empty() && failure->type != expect.error_type)
    wrong_.push_back(fmt::format("error: expected {}, it was {}", expect.error_type, failure->type));
  if (failure->message.find(expect.error_says) == std::string::npos)
    wrong_.push_back(fmt::format("error: expected to read `{}` in `{}`", expect.error_says,
                                 cut_text(failure->message, kMaxShown)));
}

}  // namespace

std::vector<std::string> judge(const Program& program, const Expected& expect, const Trial& trial) {
  Judge out(program, trial);
  out.end(expect);
  out.outlets(expect);
  out.values(expect);
  return out.take();
}

}  // namespace holdfast::flows
