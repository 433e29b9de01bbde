// Conditions in CEL: text of whoever writes a definition. What parses is evaluated within its bounds, to the
// same each time.

#include "spec/cel.h"

#include "fuzz.h"

namespace holdfast::spec::cel {

FUZZ(input) {
  static const Environment kEnvironment = [] {
    Environment out;
    out.variables.emplace("args", Value::of_json({{"amount", 250},
                                                  {"big", 18446744073709551615ULL},
                                                  {"ratio", 0.5},
                                                  {"vip", true},
                                                  {"nothing", nullptr},
                                                  {"to", "ann"},
                                                  {"customer", {{"id", 17}, {"tags", {"a", "b"}}}}}));
    out.variables.emplace("now", Value(Timestamp{Nanos{1'764'000'000} * 1'000'000'000}));
    return out;
  }();
  const auto expression = Expression::parse(input);
  if (!expression) {
    REQUIRE(!expression.error().message.empty());
    return;
  }
  (void)expression->names();
  (void)expression->fields_of("args");
  const Evaluated once = expression->evaluate(kEnvironment);
  const Evaluated again = expression->evaluate(kEnvironment);
  REQUIRE(once.has_value() == again.has_value());
  if (!once) REQUIRE(once.error().text() == again.error().text());
}

}  // namespace holdfast::spec::cel
