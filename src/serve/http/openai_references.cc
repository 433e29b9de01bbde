#include <fmt/format.h>

#include "http/openai_runs.h"
#include "http/problems.h"
#include "openai/errors.h"
#include "openai/ids.h"
#include "openai/references.h"

namespace holdfast::http {

namespace {

using openai::ItemPlace;
using Found = std::expected<Json, Problem>;

constexpr std::size_t kMaxRuns = 500;  // logs that are read for one request; a history has as many answers

// Reads the log of each run once when its items are named one behind the other, which they are.
class ItemsOfRuns {
 public:
  ItemsOfRuns(ApiContext& context, const ApiContext::Gone& gone) : context_(context), gone_(gone) {}

  Found find(const ItemPlace& place, const std::string& id) {
    std::string run = place.of;
    if (place.kind == ItemPlace::Kind::kApproval) {
      const auto approval = context_.runs().approval(place.of);
      if (!approval && approval.error().code() == Code::kNotFound) return Json();
      if (!approval) return std::unexpected(problem_of(approval.error()));
      run = approval->run;
    }
    if (run != run_) {
      auto read = read_run(run);
      if (!read) return std::unexpected(read.error());
      if (!*read) return Json();
    }
    return place.kind == ItemPlace::Kind::kInput ? input_item(id) : output_item(place, id);
  }

 private:
  // False: there is none, or no longer.
  std::expected<bool, Problem> read_run(const std::string& run) {
    run_.clear();
    auto record = run_of_response(context_, openai::response_id(run));
    if (!record && record.error().status() == 404) return false;
    if (!record) return std::unexpected(record.error());
    const auto unkept = context_.store().unkept_run(run);
    if (!unkept) return std::unexpected(Problem::from(unkept.error()));
    if (*unkept) return false;
    if (++read_ > kMaxRuns)
      return std::unexpected(
          openai::wrong("input", "array_above_max_length",
                        fmt::format("'input' names items of more than {} responses", kMaxRuns))
              .hint("go on with previous_response_id, or `conversation`"));
    auto head = head_of(context_, *record);
    if (!head) return std::unexpected(head.error());
    auto fold = fold_of(context_, run, gone_);
    if (!fold) return std::unexpected(fold.error());
    record_ = *std::move(record);
    head_ = *std::move(head);
    fold_ = *std::move(fold);
    run_ = run;
    return true;
  }

  Found input_item(const std::string& id) const {
    const auto at = place_of_input(head_, id);
    if (!at) return Json();
    auto items = input_of(context_, record_, head_, *at, 1);
    if (!items) return std::unexpected(items.error());
    return items->front();
  }

  Found output_item(const ItemPlace& place, const std::string& id) const {
    const auto& items = fold_.items();
    if (place.kind == ItemPlace::Kind::kApproval) {
      for (std::size_t i = 0; i < items.size(); ++i) {
        if (items[i].approval == place.of) return openai::item_json(head_, items[i], i);
      }
      return Json();
    }
    if (place.at >= items.size() || openai::item_id(head_, items[place.at], place.at) != id) return Json();
    return openai::item_json(head_, items[place.at], place.at);
  }

  ApiContext& context_;
  const ApiContext::Gone& gone_;
  std::size_t read_ = 0;
  std::string run_;  // the one that was read last; empty: none
  platform::RunRecord record_;
  openai::ResponseHead head_;
  openai::RunFold fold_;
};

}  // namespace

std::optional<Problem> put_references(ApiContext& context, Json& body, const ApiContext::Gone& gone) {
  const auto input = body.find("input");
  if (input == body.end()) return std::nullopt;
  ItemsOfRuns items(context, gone);
  return openai::put_references(
      *input, [&items](const ItemPlace& place, const std::string& id) { return items.find(place, id); });
}

}  // namespace holdfast::http
