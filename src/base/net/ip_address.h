#pragma once

// Internet addresses and what kind of place they lead to. Pure values and functions, except
// is_own_address(), which asks the kernel; any thread.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr;

namespace holdfast::net {

struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};  // IPv4 as ::ffff:a.b.c.d, which is the same place

  bool is_v4() const;
  std::string text() const;  // "127.0.0.1", "fe80::1"
  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

enum class AddressClass : std::uint8_t {
  kPublic,
  kPrivate,    // RFC 1918, unique local, site local
  kShared,     // of a carrier's NAT: 100.64.0.0/10
  kLoopback,   // this machine, by 127.0.0.0/8, ::1, and by 0.0.0.0 and ::, which connect there, too
  kLinkLocal,  // 169.254.0.0/16, fe80::/10
  kMetadata,   // where clouds hand out credentials: 169.254.169.254, fd00:ec2::254 and their like
  kMulticast,
  kReserved,  // everything that is nobody's, broadcast included
};
inline constexpr int kAddressClasses = 8;

// "public", "private", ...
std::string_view to_string(AddressClass kind);
std::optional<AddressClass> address_class_by_name(std::string_view name);

// "10.0.0.1" or "fe80::1" without brackets and zone; other spellings are none.
std::optional<IpAddress> parse_ip(std::string_view text);
// As inet_aton(3) reads it, and so every resolver: one to four numbers, decimal, octal (0177) or hexadecimal
// (0x7f), of which the last fills what is left.
std::optional<IpAddress> parse_ipv4_loosely(std::string_view text);
std::optional<IpAddress> ip_of(const sockaddr& address);

// An IPv6 address that carries an IPv4 one (mapped, compatible, NAT64, 6to4, ISATAP) leads where that leads.
AddressClass class_of(const IpAddress& address);

// An address of one of this machine's interfaces, now.
bool is_own_address(const IpAddress& address);

}  // namespace holdfast::net
