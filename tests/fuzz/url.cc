// URLs and grants. A host that was read has one spelling, whoever reads it next: what is asked about is what
// is connected to; and a rule that an origin is refused with covers that origin.

#include <string>

#include "fuzz.h"
#include "grant/grant.h"
#include "net/reach.h"

namespace holdfast::net {

FUZZ(input) {
  (void)grant::parse_grant(input);
  (void)parse_host_rule(input);
  const auto read = read_url(input);
  if (!read) return;
  const auto again = read_url(read->url);
  REQUIRE(again);
  REQUIRE(again->origin.same_as(read->origin));
  REQUIRE(again->url == read->url);
  const auto host = read_host(read->origin.host.text);
  REQUIRE(host && host->text == read->origin.host.text);
  const auto refused = Reach().refusal(read->origin);
  REQUIRE(refused);
  const auto grant = grant::parse_grant(refused->grant);
  REQUIRE(grant && grant->host);
  REQUIRE(!Reach({*grant->host}, {read->origin.port}).refusal(read->origin));
}

}  // namespace holdfast::net
