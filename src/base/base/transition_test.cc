// Transition tables: a hole is found at compile time, a step without a row does not happen, a row that nobody
// took is named.

#include "base/transition.h"

#include <gmock/gmock.h>

namespace holdfast {
namespace {

enum class State : std::uint8_t { kClosed, kOpen, kLocked };
enum class On : std::uint8_t { kPush, kTurnKey };

constexpr Transition<State, On> kDoor[] = {
    {State::kClosed, On::kPush, State::kOpen},
    {State::kClosed, On::kTurnKey, State::kLocked},
    {State::kLocked, On::kTurnKey, State::kClosed},
};
static_assert(fault_of(State::kClosed, kDoor) == TableFault::kNone);

constexpr Transition<State, On> kNobodyLocks[] = {
    {State::kClosed, On::kPush, State::kOpen},
    {State::kOpen, On::kTurnKey, State::kClosed},
};
static_assert(fault_of(State::kClosed, kNobodyLocks) == TableFault::kStateThatNoRowEnters);

constexpr Transition<State, On> kNoKey[] = {
    {State::kClosed, On::kPush, State::kOpen},
    {State::kOpen, On::kPush, State::kLocked},
};
static_assert(fault_of(State::kClosed, kNoKey) == TableFault::kInputThatNoRowTakes);

constexpr Transition<State, On> kTwoWays[] = {
    {State::kClosed, On::kPush, State::kOpen},
    {State::kOpen, On::kTurnKey, State::kLocked},
    {State::kClosed, On::kPush, State::kLocked},
};
static_assert(fault_of(State::kClosed, kTwoWays) == TableFault::kTwoRowsForOneStep);

// A table is entered in a list for good, as those of machines are.
const TransitionTable kTable("door", rows(State::kClosed, kDoor));

TEST(TransitionTable, ARowThatNobodyTookIsNamed) {
  EXPECT_EQ(kTable.next(State::kClosed, On::kPush), State::kOpen);
  EXPECT_EQ(kTable.next(State::kOpen, On::kPush), std::nullopt);
  EXPECT_EQ(kTable.peek(State::kClosed, On::kTurnKey), State::kLocked);  // asked, not taken
  EXPECT_THAT(unvisited_transitions(), testing::ElementsAre("door: kClosed, kTurnKey -> kLocked",
                                                            "door: kLocked, kTurnKey -> kClosed"));
  EXPECT_EQ(kTable.step(State::kClosed, On::kTurnKey), State::kLocked);
  EXPECT_EQ(kTable.step(State::kLocked, On::kTurnKey), State::kClosed);
  EXPECT_THAT(unvisited_transitions(), testing::IsEmpty());
}

TEST(TransitionTableDeathTest, OurOwnMistakeStopsTheProcess) {
  EXPECT_DEATH(kTable.step(State::kOpen, On::kPush), "");
}

}  // namespace
}  // namespace holdfast
