#include "engine/large_filler.h"

#include <pthread.h>

#include <utility>

#include "engine/large_payloads.h"
#include "store/keys.h"

namespace holdfast::engine {

namespace keys = store::keys;

LargeFiller::~LargeFiller() {
  stop();
}

void LargeFiller::start(std::string slot_key) {
  signer_ = history::SlotSigner(std::move(slot_key));
  thread_ = std::thread([this] { loop(); });
  pthread_setname_np(thread_.native_handle(), "large-out");
}

void LargeFiller::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void LargeFiller::release(Release answer) {
  const bool large =
      expected_ && answer.result && *answer.result != nullptr && bytes_to_fill(**answer.result) > 0;
  if (!large) return answer.run();
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(answer));
  }
  wake_.notify_one();
}

void LargeFiller::loop() {
  while (true) {
    Release answer;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      answer = std::move(waiting_.front());
      waiting_.pop_front();
    }
    if (Status status = fill(answer.result->get()); !status.ok()) answer.result = fail(std::move(status));
    answer.run();
  }
}

Status LargeFiller::fill(api::Message* answer) const {
  for (auto* list : lists_to_fill(answer)) {
    for (auto& payload : *list->mutable_payloads()) {
      const auto slot = signer_.read(payload.data());
      if (!slot) continue;
      auto data = read(*slot);
      if (!data) return data.error();
      payload.set_data(*std::move(data));
    }
  }
  return {};
}

Result<std::string> LargeFiller::read(const history::PayloadSlot& slot) const {
  const keys::LargeId id{.epoch = slot.epoch, .number = slot.number};
  const auto size = static_cast<std::size_t>(slot.bytes);
  std::string data;
  data.reserve(size);
  for (std::int64_t piece = 0; data.size() < size; ++piece) {
    auto row = store_.get(keys::large_piece(id, piece));
    if (!row || !*row || (*row)->empty())
      return fail(Code::kDataLoss, "A payload of this history cannot be read; restore a backup.");
    data += **row;
  }
  return data;
}

}  // namespace holdfast::engine
