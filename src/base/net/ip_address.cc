#include "net/ip_address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <vector>

namespace holdfast::net {

namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

constexpr std::array<std::string_view, kAddressClasses> kClassNames = {
    "public", "private", "shared", "loopback", "link-local", "metadata", "multicast", "reserved"};

struct Block4 {
  std::uint32_t first;
  int bits;
  AddressClass kind;
};

constexpr std::uint32_t quad(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

// The first that fits decides. IANA's special-purpose registry, with the clouds' addresses before it.
constexpr Block4 kBlocks4[] = {
    {quad(169, 254, 169, 254), 32, AddressClass::kMetadata},
    {quad(169, 254, 169, 253), 32, AddressClass::kMetadata},  // AWS: resolver
    {quad(169, 254, 170, 0), 24, AddressClass::kMetadata},    // AWS: credentials of containers
    {quad(100, 100, 100, 200), 32, AddressClass::kMetadata},  // Alibaba
    {quad(168, 63, 129, 16), 32, AddressClass::kMetadata},    // Azure
    {quad(192, 0, 0, 192), 32, AddressClass::kMetadata},      // Oracle
    {quad(0, 0, 0, 0), 32, AddressClass::kLoopback},
    {quad(0, 0, 0, 0), 8, AddressClass::kReserved},
    {quad(10, 0, 0, 0), 8, AddressClass::kPrivate},
    {quad(100, 64, 0, 0), 10, AddressClass::kShared},
    {quad(127, 0, 0, 0), 8, AddressClass::kLoopback},
    {quad(169, 254, 0, 0), 16, AddressClass::kLinkLocal},
    {quad(172, 16, 0, 0), 12, AddressClass::kPrivate},
    {quad(192, 0, 0, 0), 24, AddressClass::kReserved},
    {quad(192, 0, 2, 0), 24, AddressClass::kReserved},
    {quad(192, 88, 99, 0), 24, AddressClass::kReserved},
    {quad(192, 168, 0, 0), 16, AddressClass::kPrivate},
    {quad(198, 18, 0, 0), 15, AddressClass::kReserved},
    {quad(198, 51, 100, 0), 24, AddressClass::kReserved},
    {quad(203, 0, 113, 0), 24, AddressClass::kReserved},
    {quad(224, 0, 0, 0), 4, AddressClass::kMulticast},
    {quad(240, 0, 0, 0), 4, AddressClass::kReserved},
};

AddressClass class_of_v4(std::uint32_t address) {
  for (const Block4& block : kBlocks4) {
    if ((address ^ block.first) >> (32 - block.bits) == 0) return block.kind;
  }
  return AddressClass::kPublic;
}

std::uint32_t v4_at(const IpAddress& address, std::size_t at) {
  const auto& b = address.bytes;
  return quad(b[at], b[at + 1], b[at + 2], b[at + 3]);
}

struct Block6 {
  const char* first;
  int bits;
  AddressClass kind;
  int v4_at = -1;  // the byte where an IPv4 address begins, whose class counts then
};

constexpr Block6 kBlocks6[] = {
    {"::ffff:0:0", 96, AddressClass::kPublic, 12}, {"::", 128, AddressClass::kLoopback},
    {"::1", 128, AddressClass::kLoopback},         {"::", 96, AddressClass::kPublic, 12},
    {"64:ff9b::", 96, AddressClass::kPublic, 12},  {"2002::", 16, AddressClass::kPublic, 2},
    {"fd00:ec2::", 32, AddressClass::kMetadata},  // AWS
    {"fd20:ce::", 32, AddressClass::kMetadata},   // Google
    {"fc00::", 7, AddressClass::kPrivate},         {"fec0::", 10, AddressClass::kPrivate},
    {"fe80::", 10, AddressClass::kLinkLocal},      {"ff00::", 8, AddressClass::kMulticast},
    {"2001::", 23, AddressClass::kReserved},  // Teredo among them, which hides an IPv4 address
    {"2001:db8::", 32, AddressClass::kReserved},   {"3fff::", 20, AddressClass::kReserved},
};

bool within(const IpAddress& address, const IpAddress& first, int bits) {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (!std::equal(first.bytes.begin(), first.bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                  address.bytes.begin())) {
    return false;
  }
  const int rest = bits % 8;
  return rest == 0 || (address.bytes[whole] ^ first.bytes[whole]) >> (8 - rest) == 0;
}

// The interface part that ISATAP makes of an IPv4 address, under any prefix.
bool is_isatap(const IpAddress& address) {
  const auto& b = address.bytes;
  return (b[8] & ~0x02) == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

IpAddress from_v4(std::uint32_t address) {
  IpAddress out;
  std::copy(kMapped.begin(), kMapped.end(), out.bytes.begin());
  for (std::size_t i = 0; i < 4; ++i) out.bytes[12 + i] = static_cast<std::uint8_t>(address >> (24 - 8 * i));
  return out;
}

}  // namespace

bool IpAddress::is_v4() const {
  return std::equal(kMapped.begin(), kMapped.end(), bytes.begin());
}

std::string IpAddress::text() const {
  char buffer[INET6_ADDRSTRLEN] = {};
  const bool v4 = is_v4();
  ::inet_ntop(v4 ? AF_INET : AF_INET6, bytes.data() + (v4 ? 12 : 0), buffer, sizeof buffer);
  return buffer;
}

std::string_view to_string(AddressClass kind) {
  return kClassNames[static_cast<std::size_t>(kind)];
}

std::optional<AddressClass> address_class_by_name(std::string_view name) {
  const auto found = std::find(kClassNames.begin(), kClassNames.end(), name);
  if (found == kClassNames.end()) return std::nullopt;
  return static_cast<AddressClass>(found - kClassNames.begin());
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  const std::string whole(text);
  if (whole.size() != std::strlen(whole.c_str())) return std::nullopt;
  in_addr v4{};
  if (::inet_pton(AF_INET, whole.c_str(), &v4) == 1) return from_v4(ntohl(v4.s_addr));
  IpAddress out;
  if (::inet_pton(AF_INET6, whole.c_str(), out.bytes.data()) == 1) return out;
  return std::nullopt;
}

std::optional<IpAddress> parse_ipv4_loosely(std::string_view text) {
  std::vector<std::uint64_t> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t dot = std::min(text.find('.', at), text.size());
    const auto number = number_of(text.substr(at, dot - at));
    if (!number || parts.size() == 4) return std::nullopt;
    parts.push_back(*number);
    at = dot + 1;
  }
  std::uint64_t address = 0;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i] > 255) return std::nullopt;
    address |= parts[i] << (24 - 8 * i);
  }
  const std::uint64_t last = parts.back();
  if (last >> (8 * (5 - parts.size())) != 0) return std::nullopt;
  return from_v4(static_cast<std::uint32_t>(address | last));
}

std::optional<IpAddress> ip_of(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return from_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    IpAddress out;
    std::memcpy(out.bytes.data(), &v6.sin6_addr, 16);
    return out;
  }
  return std::nullopt;
}

AddressClass class_of(const IpAddress& address) {
  for (const Block6& block : kBlocks6) {
    if (!within(address, *parse_ip(block.first), block.bits)) continue;
    return block.v4_at < 0 ? block.kind : class_of_v4(v4_at(address, static_cast<std::size_t>(block.v4_at)));
  }
  if (is_isatap(address)) return class_of_v4(v4_at(address, 12));
  return address.bytes[0] >> 5 == 1 ? AddressClass::kPublic : AddressClass::kReserved;  // 2000::/3
}

bool is_own_address(const IpAddress& address) {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return false;
  bool found = false;
  for (const ifaddrs* one = all; one != nullptr && !found; one = one->ifa_next) {
    found = one->ifa_addr != nullptr && ip_of(*one->ifa_addr) == address;
  }
  ::freeifaddrs(all);
  return found;
}

}  // namespace holdfast::net
