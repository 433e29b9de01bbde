#pragma once

// ModelRoute: which model of a role an attempt asks, and what comes after one that could not answer. One
// attempt asks one model; the durable activity makes the next attempt, at once when another model may be
// asked, else when the first of them may be again: after what the provider said (retry-after), to the
// millisecond and never earlier, or after the model's own `retry`. What earlier attempts of this call met
// travels in their heartbeat details, so that it outlives the process and moves with the activity to another
// one.
//
// Pure; one for one attempt.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "definition/definition.h"
#include "holdfast/seams.h"
#include "model/error.h"

namespace holdfast::agent {

// Why a model is not asked now, for reasons outside of this call, and for how long.
struct Obstacle {
  std::chrono::milliseconds left{0};
  std::string why;
};
using Obstacles = std::function<std::optional<Obstacle>(const ModelSpec& model)>;

struct PassedOver {
  const ModelSpec* model = nullptr;
  std::string why;
};

class ModelRoute {
 public:
  // `met`: state() of the attempt before. What is none counts as nothing met.
  ModelRoute(const ModelSpec& first, const std::optional<Json>& met);

  bool has_fallbacks() const { return chain_.size() > 1; }
  const ModelSpec& at(std::size_t position) const { return *chain_.at(position); }

  // The first model that may be asked; none: no one may, now. `passed_over` says why not those before it.
  std::optional<std::size_t> choose(WallTime now, const Obstacles& obstacles,
                                    std::vector<PassedOver>& passed_over) const;

  void failed(std::size_t position, const model::Error& error, WallTime now);
  // Nobody could be asked.
  void waited() { ++waits_; }
  // In how long somebody may be asked; none: all have failed for good, or as often as they may.
  std::optional<std::chrono::milliseconds> next_in(WallTime now, const Obstacles& obstacles) const;

  // "openai gpt-4o: RateLimitedError: ...; anthropic sonnet: ..."
  std::string why_not() const;
  Json state() const;

 private:
  struct Met {
    int failures = 0;
    std::int64_t not_before_ms = 0;  // since the epoch
    bool out = false;                // another attempt would not help
    std::string why;
  };

  bool is_out(std::size_t position) const;

  std::vector<const ModelSpec*> chain_;
  std::vector<Met> met_;  // as many
  int waits_ = 0;
};

// The error, when it is not to be repeated, is about what was said: another model is not asked for another
// opinion.
bool is_final_for_all(const model::Error& error);

// What a chain's activity may have of attempts: the route ends it before.
int attempts_of(const ModelSpec& first);

}  // namespace holdfast::agent
