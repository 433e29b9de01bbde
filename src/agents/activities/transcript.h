#pragma once

// What a conversation says up to a reference, read from the platform store and parsed: everything behind its
// last summary, and the first message. Those that were read or written last are kept, so that a turn reads
// what others have said since and no more, however long the conversation is; what was kept is compared by its
// hash, so that a branch, a reset or another writer cannot be mistaken for it.
//
// Thread-safe; owned by the activities, shared by all runs. Failures: those of the store, as
// ApplicationFailure; a message that is missing is DATA_LOSS.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/message.h"
#include "platform/store.h"

namespace holdfast::agent {

// A message that stands for others: {"role":"summary","content":[{"type":"text",...}],"from":2,"to":40}. It
// is written behind what was said when it was made; models see it in the place of those.
struct Summary {
  Summary() = default;
  std::string text;
  std::uint64_t from = 0;  // the first message that it stands for
  std::uint64_t to = 0;
};
std::string to_json(const Summary& summary);
// None: another message.
std::optional<Summary> summary_from_json(std::string_view json);

struct Said {
  Said() = default;
  std::uint64_t sequence = 0;
  model::Message message;
  std::size_t bytes = 0;  // as it is stored
};
using SaidPtr = std::shared_ptr<const Said>;

struct Transcript {
  Transcript() = default;
  platform::Reference head;
  SaidPtr first;                   // the conversation's first message; null: nobody has spoken
  std::optional<Summary> summary;  // the last one
  std::vector<SaidPtr> said;       // behind what the summary stands for, without summaries
  std::size_t bytes = 0;           // of all that
};
using TranscriptPtr = std::shared_ptr<const Transcript>;

class Transcripts {
 public:
  // Of stored text; parsed it takes some more. A transcript of more than a quarter is not kept.
  static constexpr std::size_t kMaxBytes = 32 << 20;
  static constexpr std::size_t kMaxKept = 4096;

  explicit Transcripts(platform::Store* store) : store_(store) {}
  // `beat` is called between reads.
  TranscriptPtr read(const platform::Reference& head, const std::function<void()>& beat);
  // These have just been stored behind `behind`, and the conversation goes up to `head` now: nobody has to
  // read what this process wrote.
  void wrote(const platform::Reference& behind, const std::vector<std::string>& messages,
             const platform::Reference& head);
  // The message at `head`, when it is kept and the last one; null says nothing about the store.
  SaidPtr last(const platform::Reference& head);

 private:
  TranscriptPtr kept(const std::string& conversation);
  void keep(const TranscriptPtr& transcript);
  bool go_on(const Transcript& from, Transcript& out, const std::function<void()>& beat);
  void begin(Transcript& out, const std::function<void()>& beat);
  std::vector<platform::Message> page(const platform::Reference& head, std::uint64_t first,
                                      std::uint64_t last);

  platform::Store* const store_;
  std::mutex mutex_;
  using Kept = std::list<TranscriptPtr>;
  void drop(Kept::iterator one);  // with mutex_

  Kept kept_;                                               // guarded by mutex_; the one used last first
  std::unordered_map<std::string, Kept::iterator> places_;  // guarded by mutex_; by conversation
  std::size_t bytes_ = 0;                                   // guarded by mutex_
};

}  // namespace holdfast::agent
