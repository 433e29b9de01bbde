// Conditions of approval rules: text of whoever writes a definition. What parses is evaluated, and what it
// was made from parses again to the same.

#include "spec/condition.h"

#include "fuzz.h"

namespace holdfast::spec {

FUZZ(input) {
  static const nlohmann::json kArguments = {{"amount", 250},
                                            {"country", "DE"},
                                            {"big", 18446744073709551615ULL},
                                            {"ratio", 0.5},
                                            {"vip", true},
                                            {"nothing", nullptr},
                                            {"customer", {{"id", 17}, {"tags", {"a", "b"}}}}};
  const auto condition = Condition::parse(input);
  if (!condition) return;
  const Truth truth = condition->evaluate(kArguments);
  (void)condition->arguments_read();
  const auto again = Condition::parse(condition->text());
  REQUIRE(again);
  REQUIRE(again->evaluate(kArguments) == truth);
}

}  // namespace holdfast::spec
