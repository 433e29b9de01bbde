#include "net/reach.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace holdfast::net {

namespace {

std::uint16_t default_port(const Origin& origin) {
  return origin.scheme == "https" ? 443 : 80;
}

constexpr std::string_view kGrantDetail = "holdfast/missing-grant";

std::string_view words(AddressClass kind) {
  switch (kind) {
    case AddressClass::kPublic: return "a public address";
    case AddressClass::kPrivate: return "a private address";
    case AddressClass::kShared: return "an address behind a carrier's NAT (shared)";
    case AddressClass::kLoopback: return "an address of this machine (loopback)";
    case AddressClass::kLinkLocal: return "a link-local address";
    case AddressClass::kMetadata: return "where a cloud hands out credentials (metadata)";
    case AddressClass::kMulticast: return "a multicast address";
    case AddressClass::kReserved: return "a reserved address";
  }
  return "";
}

AddressClass class_for(const IpAddress& address) {
  const AddressClass kind = class_of(address);
  const bool may_be_ours = kind == AddressClass::kPublic || kind == AddressClass::kPrivate ||
                           kind == AddressClass::kShared || kind == AddressClass::kLinkLocal;
  return may_be_ours && is_own_address(address) ? AddressClass::kLoopback : kind;
}

}  // namespace

bool HostRule::covers(const Origin& origin) const {
  if (port && *port != origin.port) return false;
  if (host == "*") return true;
  const std::string& name = origin.host.text;
  if (host.starts_with("*."))
    return !origin.host.address && name.size() > host.size() - 1 &&
           name.ends_with(std::string_view(host).substr(1));
  return host == name;
}

Result<HostRule> parse_host_rule(std::string_view text) {
  const auto wrong = [whole = std::string(text)](std::string_view why) {
    return fail(Code::kInvalidArgument,
                fmt::format("`{}`: {}; a host is HOST, HOST:PORT or HOST:PORT/CLASS", whole, why));
  };
  HostRule out;
  std::optional<AddressClass> kind;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    kind = address_class_by_name(text.substr(slash + 1));
    if (!kind) {
      return wrong(
          "the class is public, private, shared, loopback, link-local, metadata, multicast or reserved");
    }
    text = text.substr(0, slash);
  }
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const std::string_view digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size() || port == 0)
      return wrong("the port is a number from 1 to 65535");
    out.port = port;
    text = text.substr(0, colon);
  }
  const bool below = text.starts_with("*.");
  if (text == "*") {
    out.host = "*";
  } else {
    const auto host = read_host(below ? text.substr(2) : text);
    if (!host) return wrong(host.error().message());
    if (below && host->address) return wrong("an address has no names below it");
    out.host = (below ? "*." : "") + host->text;
    if (host->address && !kind) out.classes.set();
    if (!kind && host->is_localhost()) kind = AddressClass::kLoopback;
  }
  if (out.classes.none()) out.classes.set(static_cast<std::size_t>(kind.value_or(AddressClass::kPublic)));
  return out;
}

std::string rule_for(const Origin& origin) {
  const bool fixed = origin.host.address || origin.host.is_localhost();
  return fixed || origin.port != default_port(origin) ? origin.place() : origin.host.text;
}

namespace {

// As one word of a command line.
std::string for_a_shell(const std::string& word) {
  if (word.find_first_of("\"'\\") == std::string::npos) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

Status Refusal::status() const {
  Status out(Code::kPermissionDenied, text());
  if (!grant.empty()) out.with_detail(std::string(kGrantDetail), grant);
  return out;
}

std::vector<std::string> missing_grants(const Status& status) {
  std::vector<std::string> out;
  for (const StatusDetail& detail : status.details()) {
    if (detail.type_url == kGrantDetail && std::find(out.begin(), out.end(), detail.value) == out.end())
      out.push_back(detail.value);
  }
  return out;
}

void add_missing_grants(Status& status, const Status& from) {
  for (std::string& grant : missing_grants(from))
    status.with_detail(std::string(kGrantDetail), std::move(grant));
}

std::string Refusal::text() const {
  if (grant.empty()) return what;
  return fmt::format("{} is not granted; the operator grants it with --grant {}", what, for_a_shell(grant));
}

Reach::Reach(std::vector<HostRule> rules, std::vector<std::uint16_t> own_ports)
    : rules_(std::move(rules)), own_ports_(std::move(own_ports)) {}

std::optional<Refusal> Reach::refusal(const Origin& origin) const {
  if (origin.host.address) return refusal(origin, *origin.host.address);
  if (origin.host.is_localhost()) return refusal(origin, AddressClass::kLoopback);
  const auto covers = [&](const HostRule& rule) { return rule.covers(origin); };
  if (std::any_of(rules_.begin(), rules_.end(), covers)) return std::nullopt;
  return Refusal{"the host " + origin.place(), "host:" + rule_for(origin)};
}

std::optional<Refusal> Reach::refusal(const Origin& origin, const IpAddress& address) const {
  return refusal(origin, class_for(address));
}

std::optional<Refusal> Reach::refusal(const Origin& origin, AddressClass kind) const {
  const bool own = kind == AddressClass::kLoopback &&
                   std::find(own_ports_.begin(), own_ports_.end(), origin.port) != own_ports_.end();
  for (const HostRule& rule : rules_) {
    if (rule.covers(origin) && rule.permits(kind) && (!own || rule.port)) return std::nullopt;
  }
  std::string rule = rule_for(origin);
  if (!origin.host.address && !origin.host.is_localhost())
    rule = fmt::format("{}/{}", origin.place(), to_string(kind));
  return Refusal{
      fmt::format("the host {}, {}{},", origin.place(), words(kind), own ? " and this server's own" : ""),
      "host:" + rule};
}

}  // namespace holdfast::net
