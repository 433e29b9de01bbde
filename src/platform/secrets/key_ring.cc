#include "secrets/key_ring.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "base/ids.h"
#include "base/sha256.h"
#include "crypto/sealed.h"

namespace holdfast::secrets {

namespace {

constexpr std::string_view kPrefix = "hfseal_";
constexpr std::size_t kIdDigits = 16;
constexpr std::string_view kHead =
    "# The key that Holdfast's stored secrets are sealed with. Without it nobody reads them again, and "
    "whoever\n"
    "# has it and the platform store reads them all: keep a copy apart from the backups of that store.\n";

std::string id_of(std::string_view bytes) {
  return sha256_hex("holdfast seal key " + std::string(bytes)).substr(0, kIdDigits);
}

std::string_view trimmed(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t'))
    line.remove_suffix(1);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  return line;
}

}  // namespace

Result<KeyRing> KeyRing::parse(std::string_view text, std::string_view source) {
  KeyRing out;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t middle = kPrefix.size() + kIdDigits;
    const bool shaped = line.starts_with(kPrefix) && line.size() > middle && line[middle] == '_';
    const auto bytes = shaped ? from_base64url(line.substr(middle + 1)) : std::nullopt;
    if (!bytes || bytes->size() != crypto::kSealKeyBytes ||
        id_of(*bytes) != line.substr(kPrefix.size(), kIdDigits)) {
      return fail(Code::kInvalidArgument,
                  fmt::format("{}:{}: that is no key of stored secrets (`holdfast secret new-key FILE` makes "
                              "one); if the line was damaged, take the file from where you keep its copy",
                              source, number));
    }
    if (out.find(line.substr(kPrefix.size(), kIdDigits)) != nullptr) continue;
    if (out.keys_.size() >= kMaxKeys)
      return fail(Code::kInvalidArgument, fmt::format("{}: more than {} keys", source, kMaxKeys));
    out.keys_.push_back({id_of(*bytes), *bytes});
  }
  if (out.empty()) return fail(Code::kInvalidArgument, fmt::format("{} holds no key", source));
  return out;
}

KeyRing KeyRing::fresh(Random& random) {
  KeyRing out;
  std::string key = random_bytes(random, crypto::kSealKeyBytes);
  std::string id = id_of(key);
  out.keys_.push_back({std::move(id), std::move(key)});
  return out;
}

const std::string* KeyRing::find(std::string_view id) const {
  for (const Key& key : keys_) {
    if (key.id == id) return &key.bytes;
  }
  return nullptr;
}

Status KeyRing::add_older(const KeyRing& older) {
  for (const Key& key : older.keys_) {
    if (find(key.id) != nullptr) continue;
    if (keys_.size() >= kMaxKeys)
      return {Code::kResourceExhausted, fmt::format("more than {} keys of stored secrets", kMaxKeys)};
    keys_.push_back(key);
  }
  return {};
}

std::string KeyRing::text() const {
  std::string out(kHead);
  for (const Key& key : keys_) out += fmt::format("{}{}_{}\n", kPrefix, key.id, base64url(key.bytes));
  return out;
}

}  // namespace holdfast::secrets
