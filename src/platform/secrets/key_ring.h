#pragma once

// KeyRing: the keys that stored secrets are sealed with, as a file of them says: one a line,
// `hfseal_ID_KEY`, the current one first, older ones behind it for what was sealed before. The id is a hash
// of the key, so a row can name its key and tell nothing of it. Plain values; what it does is pure.

#include <string>
#include <string_view>
#include <vector>

#include "holdfast/seams.h"
#include "holdfast/status.h"

namespace holdfast::secrets {

inline constexpr std::size_t kMaxKeys = 64;
inline constexpr std::size_t kMaxKeyFileBytes = 64 << 10;

class KeyRing {
 public:
  // INVALID_ARGUMENT says which line is wrong, never what it holds. Blank lines and `# ...` are left out.
  static Result<KeyRing> parse(std::string_view text, std::string_view source);
  // With one new key.
  static KeyRing fresh(Random& random);

  bool empty() const { return keys_.empty(); }
  // Of the current one; the ring is not empty.
  const std::string& current_id() const { return keys_.front().id; }
  const std::string& current() const { return keys_.front().bytes; }
  // Null: it is not in the ring.
  const std::string* find(std::string_view id) const;
  // Behind those that are there. RESOURCE_EXHAUSTED beyond kMaxKeys.
  Status add_older(const KeyRing& older);
  // As a file has it.
  std::string text() const;

 private:
  struct Key {
    std::string id;
    std::string bytes;
  };
  std::vector<Key> keys_;
};

}  // namespace holdfast::secrets
