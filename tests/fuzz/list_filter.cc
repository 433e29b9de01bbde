// The filters of list calls: what parses becomes SQL.

#include "fuzz.h"
#include "visibility/query.h"
#include "visibility/sql.h"

namespace holdfast::visibility {

FUZZ(input) {
  const auto query = parse_query(input);
  if (!query) REQUIRE(query.error().code() == Code::kInvalidArgument);
}

}  // namespace holdfast::visibility
