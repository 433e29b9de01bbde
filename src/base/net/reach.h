#pragma once

// Reach: the hosts that a request may connect to. A rule names a host, perhaps a port, and the class of
// address that the name may turn out to have; what no rule names is refused, with the grant that would allow
// it. Whoever made the request brings it (HttpRequest::reach), the client asks it twice: before a name is
// resolved, and of each address before anything is sent there.
//
// Immutable after construction; any thread.

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"
#include "net/origin.h"

namespace holdfast::net {

struct HostRule {
  std::string host;                        // of one spelling; "*.example.com": names below it; "*": all hosts
  std::optional<std::uint16_t> port = {};  // none: every port
  std::bitset<kAddressClasses> classes;

  bool covers(const Origin& origin) const;
  bool permits(AddressClass kind) const { return classes.test(static_cast<std::size_t>(kind)); }
};

// HOST[:PORT][/CLASS]. Without a class: what the address in the rule is, whichever that be; loopback for
// localhost; public for every other name. INVALID_ARGUMENT says what is wrong.
Result<HostRule> parse_host_rule(std::string_view text);

// The narrowest rule that covers the origin, as parse_host_rule() reads it.
std::string rule_for(const Origin& origin);

struct Refusal {
  std::string what;   // "the host 10.0.0.1:80, a private address,"
  std::string grant;  // what would allow it; empty: nothing does

  // "<what> is not granted; ... --grant <grant>"
  std::string text() const;
  // PERMISSION_DENIED with that text. Its details hold the grant, for missing_grants().
  Status status() const;
};
// The grants whose lack a status tells of.
std::vector<std::string> missing_grants(const Status& status);
void add_missing_grants(Status& status, const Status& from);

class Reach {
 public:
  Reach() = default;
  // A rule without a port does not cover `own_ports` of this machine: a server's own API is granted by port.
  Reach(std::vector<HostRule> rules, std::vector<std::uint16_t> own_ports);

  // None: allowed, as far as the URL says. Of a name that is not localhost, the address is looked at later.
  std::optional<Refusal> refusal(const Origin& origin) const;
  // Of the address that it has.
  std::optional<Refusal> refusal(const Origin& origin, const IpAddress& address) const;

 private:
  std::optional<Refusal> refusal(const Origin& origin, AddressClass kind) const;

  std::vector<HostRule> rules_;
  std::vector<std::uint16_t> own_ports_;
};

}  // namespace holdfast::net
