#include "runs/seed_conversation.h"

#include "base/sha256.h"

namespace holdfast::runs {

std::string seeded_conversation(const std::vector<std::string>& messages, const std::string& salt) {
  std::string all = sha256_hex(salt);
  for (const std::string& message : messages) all += sha256_hex(message);
  return "chat-" + sha256_hex(all).substr(0, 32);
}

}  // namespace holdfast::runs
