#include "runs/seed_conversation.h"

#include "base/sha256.h"

namespace holdfast::runs {

std::string seeded_conversation(const std::vector<std::string>& messages, const std::string& salt) {
  std::string all = sha256_hex(salt);
  for (const std::string& message : messages) all += sha256_hex(message);
  return "chat-" + sha256_hex(all).substr(0, 32);
}

Status seed_conversation(platform::Store& store, const std::string& conversation,
                         const std::vector<std::string>& messages) {
  auto head = store.head(conversation, 0);
  if (head) return {};
  if (head.error().code() != Code::kNotFound) return head.error();
  auto appended = store.append(platform::Store::empty_conversation(conversation), messages);
  return appended ? Status() : appended.error();
}

}  // namespace holdfast::runs
