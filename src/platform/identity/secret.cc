#include "identity/secret.h"

#include <fmt/format.h>

#include <array>

#include "base/sha256.h"

namespace holdfast::identity {

namespace {

constexpr std::size_t kIdDigits = 16;
constexpr std::size_t kSecretDigits = 64;

std::string digits(Random& random, std::size_t count) {
  std::string out;
  std::array<std::uint8_t, kSecretDigits / 2> bytes{};
  random.fill(std::span(bytes).first(count / 2));
  for (std::size_t i = 0; i < count / 2; ++i) out += fmt::format("{:02x}", bytes[i]);
  return out;
}

bool are_digits(std::string_view text, std::size_t count) {
  return text.size() == count && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Secret new_secret(Random& random) {
  Secret out;
  out.id = digits(random, kIdDigits);
  out.secret = digits(random, kSecretDigits);
  return out;
}

std::string secret_text(std::string_view prefix, const Secret& secret) {
  return fmt::format("{}_{}_{}", prefix, secret.id, secret.secret);
}

std::optional<Secret> parse_secret(std::string_view prefix, std::string_view text) {
  if (!text.starts_with(prefix) || text.size() != prefix.size() + 2 + kIdDigits + kSecretDigits) {
    return std::nullopt;
  }
  text.remove_prefix(prefix.size());
  if (text[0] != '_' || text[1 + kIdDigits] != '_') return std::nullopt;
  const std::string_view id = text.substr(1, kIdDigits);
  const std::string_view secret = text.substr(2 + kIdDigits);
  if (!are_digits(id, kIdDigits) || !are_digits(secret, kSecretDigits)) return std::nullopt;
  return Secret{std::string(id), std::string(secret)};
}

// 256 random bits: nobody finds them by trying, so a fast hash is as good as a slow one.
std::string secret_hash(const Secret& secret) {
  return sha256_hex(secret.secret);
}

bool is_secret_of(const Secret& shown, std::string_view hash) {
  return equal_in_constant_time(secret_hash(shown), hash);
}

}  // namespace holdfast::identity
