#include "activities/model_route.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "definition/model_section.h"
#include "spec/duration.h"

namespace holdfast::agent {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxWhy = 300;
std::int64_t ms_of(WallTime time) {
  return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
}

std::string how_long(milliseconds left) {
  if (left > milliseconds(1000)) left = std::chrono::ceil<std::chrono::seconds>(left);
  return spec::format_duration(left) + " more";
}

}  // namespace

bool is_final_for_all(const model::Error& error) {
  switch (error.kind) {
    case model::ErrorKind::kContentFilter:
    case model::ErrorKind::kInvalidPrompt:
    case model::ErrorKind::kBadRequest:
    case model::ErrorKind::kUnknownStop:
    case model::ErrorKind::kInvalidOutput:
    case model::ErrorKind::kCancelled: return true;
    default: return false;
  }
}

int attempts_of(const ModelSpec& first) {
  int sum = 0;
  for (const ModelSpec* model : chain_of(first)) sum += model->retry.attempts;
  // Each may wait as often, and attempts that a dying worker took with it count, too.
  return first.fallbacks.empty() ? sum : 3 * sum;
}

ModelRoute::ModelRoute(const ModelSpec& first, const std::optional<Json>& met)
    : chain_(chain_of(first)), met_(chain_.size()) {
  if (!met || !met->is_object()) return;
  try {
    const Json models = met->value("models", Json::array());
    for (std::size_t i = 0; i < std::min(models.size(), met_.size()); ++i) {
      met_[i].failures = models[i].value("failures", 0);
      met_[i].not_before_ms = models[i].value("not_before_ms", std::int64_t{0});
      met_[i].out = models[i].value("out", false);
      met_[i].why = models[i].value("why", "");
    }
    waits_ = met->value("waits", 0);
  } catch (const Json::exception&) {
    met_.assign(chain_.size(), Met());  // another version's; nothing is lost but an attempt
  }
}

bool ModelRoute::is_out(std::size_t position) const {
  return met_[position].out || met_[position].failures >= chain_[position]->retry.attempts;
}

std::optional<std::size_t> ModelRoute::choose(WallTime now, const Obstacles& obstacles,
                                              std::vector<PassedOver>& passed_over) const {
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    if (is_out(i) || ms_of(now) < met_[i].not_before_ms) {
      passed_over.push_back({chain_[i], met_[i].why});
      continue;
    }
    const auto obstacle = obstacles(*chain_[i]);
    if (!obstacle) return i;
    passed_over.push_back({chain_[i], obstacle->left > milliseconds(0)
                                          ? fmt::format("{}, for {}", obstacle->why, how_long(obstacle->left))
                                          : obstacle->why});
  }
  return std::nullopt;
}

void ModelRoute::failed(std::size_t position, const model::Error& error, WallTime now) {
  Met& met = met_.at(position);
  ++met.failures;
  met.out = !error.retryable;
  // Rounded up: a part of a millisecond less would be earlier.
  const auto at = std::chrono::ceil<milliseconds>(now.time_since_epoch());
  met.not_before_ms =
      (at + error.retry_after.value_or(interval_after(chain_[position]->retry, met.failures))).count();
  met.why = bounded_text(fmt::format("{}: {}", model::error_type(error.kind), error.message), kMaxWhy);
}

std::optional<milliseconds> ModelRoute::next_in(WallTime now, const Obstacles& obstacles) const {
  if (waits_ > chain_.front()->retry.attempts) return std::nullopt;
  std::optional<milliseconds> soonest;
  const auto at = std::chrono::floor<milliseconds>(now.time_since_epoch());
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    if (is_out(i)) continue;
    milliseconds left = std::max(milliseconds(0), milliseconds(met_[i].not_before_ms) - at);
    if (const auto obstacle = obstacles(*chain_[i]))
      left = std::max({left, obstacle->left, interval_after(chain_.front()->retry, waits_ + 1)});
    soonest = std::min(soonest.value_or(left), left);
  }
  return soonest;
}

std::string ModelRoute::why_not() const {
  std::string out;
  for (std::size_t i = 0; i < chain_.size(); ++i) {
    if (met_[i].why.empty()) continue;
    out += fmt::format("{}{} {}: {}", out.empty() ? "" : "; ", chain_[i]->provider, chain_[i]->name,
                       met_[i].why);
  }
  return out;
}

Json ModelRoute::state() const {
  Json models = Json::array();
  for (const Met& met : met_) {
    Json one = {{"failures", met.failures}, {"not_before_ms", met.not_before_ms}, {"why", met.why}};
    if (met.out) one["out"] = true;
    models.push_back(std::move(one));
  }
  return {{"models", models}, {"waits", waits_}};
}

}  // namespace holdfast::agent
