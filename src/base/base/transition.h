#pragma once

// Transition tables: how a state machine declares itself. A table lists every allowed step, (state, input)
// and the state that follows; a machine changes its state only to what its table answers, and what has no row
// does not happen.
//
//   enum class State : std::uint8_t { kNone, kStarted };
//   enum class On : std::uint8_t { kStart, kFire };
//   constexpr Transition<State, On> kRows[] = {
//       {State::kNone, On::kStart, State::kStarted},
//       {State::kStarted, On::kFire, State::kNone},
//   };
//   const TransitionTable kTable("timer", rows(State::kNone, kRows));
//
// A table with a hole does not compile: a state that no row enters (but for the first), an input that no row
// takes, two rows for one step. A row that a test program never takes fails it: unvisited_transitions(), and
// base/every_row.h, which asks it when the tests are over.
//
// Tables are globals of their machine's file. They are asked from any thread; taking a row marks it, once.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace holdfast {

template <typename State, typename Input>
struct Transition {
  State from;
  Input on;
  State to;
};

// The rows of all tables of this program that nobody took yet: "timer: kStarted, kFire -> kNone".
std::vector<std::string> unvisited_transitions();

namespace transition_detail {

// "kStarted" for an enumerator; nothing for a value that has no name.
template <auto Value>
consteval std::string_view enumerator_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("Value = ") + sizeof("Value = ") - 1);
  text = text.substr(0, text.find_first_of("];"));
  std::size_t digits = text.size();
  while (digits > 0 && text[digits - 1] >= '0' && text[digits - 1] <= '9') --digits;
  if (digits < text.size() && (digits == 0 || text[digits - 1] == ')' || text[digits - 1] == '-')) return {};
  return text.substr(text.rfind(':') + 1);
}

inline constexpr std::size_t kMaxEnumerators = 24;

template <typename Enum>
using Names = std::array<std::string_view, kMaxEnumerators>;

template <typename Enum>
inline constexpr Names<Enum> kNames = []<std::size_t... I>(std::index_sequence<I...>) {
  return Names<Enum>{enumerator_name<static_cast<Enum>(I)>()...};
}(std::make_index_sequence<kMaxEnumerators>());

}  // namespace transition_detail

enum class TableFault : std::uint8_t {
  kNone,
  kStateThatNoRowEnters,
  kInputThatNoRowTakes,
  kTwoRowsForOneStep
};

// What is wrong with a table whose machine begins in `first`.
template <typename State, typename Input, std::size_t N>
constexpr TableFault fault_of(State first, const Transition<State, Input> (&rows)[N]) {
  using transition_detail::kNames;
  for (std::size_t i = 0; i < transition_detail::kMaxEnumerators; ++i) {
    const auto state = static_cast<State>(i);
    bool entered = state == first || kNames<State>[i].empty();
    for (const auto& row : rows) entered = entered || row.to == state;
    if (!entered) return TableFault::kStateThatNoRowEnters;
    const auto input = static_cast<Input>(i);
    bool taken = kNames<Input>[i].empty();
    for (const auto& row : rows) taken = taken || row.on == input;
    if (!taken) return TableFault::kInputThatNoRowTakes;
  }
  for (std::size_t i = 0; i < N; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (rows[i].from == rows[j].from && rows[i].on == rows[j].on) return TableFault::kTwoRowsForOneStep;
    }
  }
  return TableFault::kNone;
}

template <typename State, typename Input, std::size_t N>
struct Rows {
  std::array<Transition<State, Input>, N> rows;
};

namespace transition_detail {
// Not constexpr, so that the compiler names them when a table is wrong.
void a_state_that_no_row_enters();
void an_input_that_no_row_takes();
void two_rows_for_one_step();
}  // namespace transition_detail

template <typename State, typename Input, std::size_t N>
consteval Rows<State, Input, N> rows(State first, const Transition<State, Input> (&list)[N]) {
  switch (fault_of(first, list)) {
    case TableFault::kNone: break;
    case TableFault::kStateThatNoRowEnters: transition_detail::a_state_that_no_row_enters(); break;
    case TableFault::kInputThatNoRowTakes: transition_detail::an_input_that_no_row_takes(); break;
    case TableFault::kTwoRowsForOneStep: transition_detail::two_rows_for_one_step(); break;
  }
  return {std::to_array(list)};
}

// What the tables of a program have in common, for unvisited_transitions().
class TransitionTableBase {
 public:
  TransitionTableBase(const TransitionTableBase&) = delete;
  TransitionTableBase& operator=(const TransitionTableBase&) = delete;

 protected:
  explicit TransitionTableBase(const char* name);
  ~TransitionTableBase() = default;
  const char* name() const { return name_; }

 private:
  friend std::vector<std::string> unvisited_transitions();
  virtual void add_unvisited(std::vector<std::string>* out) const = 0;

  const char* const name_;
  const TransitionTableBase* const next_;
};

template <typename State, typename Input, std::size_t N>
class TransitionTable final : public TransitionTableBase {
 public:
  TransitionTable(const char* name, const Rows<State, Input, N>& rows)
      : TransitionTableBase(name), rows_(rows.rows) {}

  // Nothing: the step is not allowed. Asking alone visits no row.
  std::optional<State> peek(State from, Input on) const {
    const std::size_t row = find(from, on);
    return row == N ? std::nullopt : std::optional(rows_[row].to);
  }
  // The same for who takes the step when it is allowed.
  std::optional<State> next(State from, Input on) const {
    const std::size_t row = find(from, on);
    if (row == N) return std::nullopt;
    if (!visited_[row].load(std::memory_order_relaxed)) visited_[row].store(true, std::memory_order_relaxed);
    return rows_[row].to;
  }
  // For a step that our own code knows to be allowed.
  State step(State from, Input on) const {
    const auto to = next(from, on);
    HF_CHECK(to.has_value());
    return *to;
  }

 private:
  std::size_t find(State from, Input on) const {
    std::size_t row = 0;
    while (row < N && (rows_[row].from != from || rows_[row].on != on)) ++row;
    return row;
  }
  void add_unvisited(std::vector<std::string>* out) const override {
    using transition_detail::kNames;
    for (std::size_t row = 0; row < N; ++row) {
      if (visited_[row].load(std::memory_order_relaxed)) continue;
      const auto& [from, on, to] = rows_[row];
      out->push_back(std::string(name()) + ": " + std::string(kNames<State>[static_cast<std::size_t>(from)]) +
                     ", " + std::string(kNames<Input>[static_cast<std::size_t>(on)]) + " -> " +
                     std::string(kNames<State>[static_cast<std::size_t>(to)]));
    }
  }

  const std::array<Transition<State, Input>, N> rows_;
  mutable std::array<std::atomic<bool>, N> visited_{};
};

}  // namespace holdfast
