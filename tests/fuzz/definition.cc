// agent.yaml, as text from whoever may deploy. A definition that is read has a canonical form which is read
// again, to the same version.

#include "activities/catalog.h"

#include "fuzz.h"

namespace holdfast::agent {

FUZZ(input) {
  const auto definition = parse_definition(input, "agent.yaml", "/srv/agents");
  if (!definition) return;
  const std::string canonical = canonical_json(*definition);
  const auto again = parse_definition(canonical, "canonical", "");
  REQUIRE(again);
  REQUIRE(canonical_json(*again) == canonical);
}

}  // namespace holdfast::agent
