#include "engine/large_stager.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/large_payloads.h"
#include "history/stored.h"

namespace holdfast::engine {

namespace keys = store::keys;
namespace stored = history::stored;

namespace {

// A store that is behind is waited for so long, a moment at a time.
constexpr auto kMoment = std::chrono::milliseconds(1);
constexpr int kMostMoments = 1000;
// The longest rest after a piece: enough for whoever waited meanwhile to have his turn.
constexpr std::chrono::nanoseconds kLongestRest = std::chrono::milliseconds(1);
// How often it is looked whether answered calls left something.
constexpr auto kLookEvery = std::chrono::seconds(1);

}  // namespace

LargeStager::LargeStager(store::KvStore& store, const Clock& clock, const history::Limits& limits,
                         std::function<void(const Status&)> on_fatal)
    : store_(store), clock_(clock), limits_(limits), on_fatal_(std::move(on_fatal)) {}

LargeStager::~LargeStager() {
  stop();
}

void LargeStager::start(std::int64_t epoch, std::string slot_key) {
  epoch_ = epoch;
  signer_ = history::SlotSigner(std::move(slot_key));
  thread_ = std::thread([this] { loop(); });
  pthread_setname_np(thread_.native_handle(), "large-in");
}

void LargeStager::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool LargeStager::wants(const Call& call) const {
  return may_carry_large(call.method) && call.request->ByteSizeLong() >= kLargePayload;
}

void LargeStager::stage(Call call, Next next) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      waiting_.emplace_back(std::move(call), std::move(next));
      wake_.notify_one();
      return;
    }
  }
  next(std::move(call));
}

void LargeStager::loop() {
  erase_leftovers();
  while (true) {
    std::deque<std::pair<Call, Next>> left;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, kLookEvery, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) {
        left.swap(waiting_);
      } else if (!waiting_.empty()) {
        left.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
      }
      if (stopping_) {
        lock.unlock();
        for (auto& [call, next] : left) next(std::move(call));
        return;
      }
    }
    for (auto& [call, next] : left) {
      stage_payloads(&call);
      next(std::move(call));
    }
    erase_unused();
  }
}

void LargeStager::stage_payloads(Call* call) {
  Ids ids;
  for (auto* list : lists_to_stage(call->method, call->request.get(), limits_)) {
    for (auto& payload : *list->mutable_payloads()) {
      if (payload.data().size() < kLargePayload) continue;
      const keys::LargeId id{.epoch = epoch_, .number = next_number_++};
      write(id, payload.data());
      payload.set_data(signer_.sign({.epoch = id.epoch,
                                     .number = id.number,
                                     .bytes = static_cast<std::int64_t>(payload.data().size())}));
      ids.push_back(id);
    }
  }
  if (ids.empty()) return;
  call->large = true;
  call->done = [done = std::move(call->done), answered = answered_,
                ids = std::move(ids)](Result<api::MessagePtr> result) mutable {
    done(std::move(result));
    const std::lock_guard lock(answered->mutex);
    answered->ids.push_back(std::move(ids));
  };
}

void LargeStager::write(const keys::LargeId& id, const std::string& data) {
  for (std::size_t at = 0, piece = 0; at < data.size(); at += kPieceBytes, ++piece) {
    store::WriteBatch batch;
    if (at == 0) {
      keep_slot_key(&batch);
      stored::LargePayload staged;
      staged.set_bytes(static_cast<std::int64_t>(data.size()));
      batch.put(keys::staged_payload(id), history::serialize(staged));
    }
    batch.put(keys::large_piece(id, static_cast<std::int64_t>(piece)), data.substr(at, kPieceBytes));
    commit_piece(batch);
  }
}

// Commits of others, which waited for this piece, do not wait for the next.
void LargeStager::commit_piece(const store::WriteBatch& batch) {
  for (int moment = 0; moment < kMostMoments && store_.is_behind(); ++moment) {
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, kMoment, [this] { return stopping_; })) break;
  }
  const MonotonicTime begun = clock_.monotonic();
  if (Status status = store_.commit(batch); !status.ok()) on_fatal_(status);
  const auto took = std::min<std::chrono::nanoseconds>(clock_.monotonic() - begun, kLongestRest);
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, took, [this] { return stopping_; });
}

// With the first place that it signs. The meta row is written by nobody else once the engine runs.
void LargeStager::keep_slot_key(store::WriteBatch* batch) {
  if (slot_key_kept_) return;
  const auto row = store_.get(keys::store_meta());
  stored::StoreMeta meta;
  if (!row || !*row || !meta.ParseFromString(**row)) {
    return on_fatal_(Status(Code::kDataLoss, "The store's meta row cannot be read."));
  }
  slot_key_kept_ = true;
  if (!meta.slot_key().empty()) return;
  meta.set_slot_key(signer_.key());
  batch->put(keys::store_meta(), history::serialize(meta));
}

// Whoever has it in its history took its row away before the call was answered.
void LargeStager::erase_unused() {
  std::vector<Ids> answered;
  {
    const std::lock_guard lock(answered_->mutex);
    answered.swap(answered_->ids);
  }
  for (const Ids& ids : answered) {
    for (const keys::LargeId& id : ids) {
      const auto row = store_.get(keys::staged_payload(id));
      stored::LargePayload staged;
      if (row && *row && staged.ParseFromString(**row)) erase(id, staged.bytes());
    }
  }
}

void LargeStager::erase_leftovers() {
  std::vector<std::pair<keys::LargeId, std::int64_t>> left;
  const Status scanned = store_.scan(
      keys::table_begin(keys::kStoreWide, keys::kStagedTable),
      keys::table_end(keys::kStoreWide, keys::kStagedTable),
      [&left, this](std::string_view key, std::string_view value) {
        stored::LargePayload staged;
        const keys::LargeId id = keys::large_id_of(key);
        if (id.epoch < epoch_ && staged.ParseFromArray(value.data(), static_cast<int>(value.size())))
          left.emplace_back(id, staged.bytes());
        return true;
      });
  // What cannot be read stays: it is nobody's, and costs its room alone.
  if (!scanned.ok()) return;
  for (const auto& [id, bytes] : left) erase(id, bytes);
}

void LargeStager::erase(const keys::LargeId& id, std::int64_t bytes) {
  store::WriteBatch batch;
  batch.erase(keys::staged_payload(id));
  for (std::int64_t at = 0, piece = 0; at < bytes; at += kPieceBytes, ++piece)
    batch.erase(keys::large_piece(id, piece));
  if (Status status = store_.commit(batch); !status.ok()) on_fatal_(status);
}

}  // namespace holdfast::engine
