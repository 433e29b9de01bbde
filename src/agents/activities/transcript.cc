#include "activities/transcript.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "activities/activities.h"
#include "base/json.h"
#include "holdfast/failure.h"

namespace holdfast::agent {

namespace {

using Ordered = nlohmann::ordered_json;

// A read from the end back looks for the last summary.
constexpr std::uint64_t kPage = 200;
// Of a message, beside its text.
constexpr std::size_t kOverhead = 256;
constexpr std::string_view kSummaryBegins = R"({"role":"summary",)";

void add(Transcript& out, std::uint64_t sequence, const std::string& json) {
  if (auto summary = summary_from_json(json)) {
    std::erase_if(out.said, [&](const SaidPtr& said) {
      if (said->sequence > summary->to) return false;
      out.bytes -= said->bytes;
      return true;
    });
    if (out.summary) out.bytes -= out.summary->text.size();
    out.bytes += summary->text.size();
    out.summary = std::move(summary);
    return;
  }
  if (out.summary && sequence <= out.summary->to) return;
  auto said = std::make_shared<Said>();
  said->sequence = sequence;
  said->message = require(model::message_from_json(json), "a stored message");
  said->bytes = json.size() + kOverhead;
  out.bytes += said->bytes;
  if (said->sequence == 1) out.first = said;
  out.said.push_back(std::move(said));
}

}  // namespace

std::string to_json(const Summary& summary) {
  const Ordered part = {{"type", "text"}, {"text", summary.text}};
  return dump_json(Ordered{
      {"role", "summary"}, {"content", Ordered::array({part})}, {"from", summary.from}, {"to", summary.to}});
}

std::optional<Summary> summary_from_json(std::string_view json) {
  if (!json.starts_with(kSummaryBegins)) return std::nullopt;
  const auto read = parse_json<Ordered>(json);
  if (!read.is_object()) return std::nullopt;
  Summary out;
  out.from = read.value("from", std::uint64_t{0});
  out.to = read.value("to", std::uint64_t{0});
  for (const Ordered& part : read.value("content", Ordered::array())) out.text += part.value("text", "");
  return out;
}

std::vector<platform::Message> Transcripts::page(const platform::Reference& head, std::uint64_t first,
                                                 std::uint64_t last) {
  last = std::min(last, head.sequence);
  auto messages = require(store_->read(head, first, last), "the conversation");
  if (messages.size() != last - first + 1) {
    throw ApplicationFailure::non_retryable(
        fmt::format("messages of the conversation {} are missing between {} and {}", head.conversation, first,
                    last),
        "DATA_LOSS");
  }
  return messages;
}

// From what is kept, if that is the beginning of what is asked for.
bool Transcripts::go_on(const Transcript& from, Transcript& out, const std::function<void()>& beat) {
  if (from.head.sequence == 0 || from.head.sequence > out.head.sequence) return false;
  const platform::Reference head = out.head;
  std::uint64_t next = from.head.sequence;
  while (next <= head.sequence) {
    const auto messages = page(head, next, next + kPage - 1);
    for (const platform::Message& message : messages) {
      if (message.sequence > from.head.sequence) {
        add(out, message.sequence, message.json);
      } else if (message.chain_sha256 == from.head.sha256) {
        out = from;
        out.head = head;
      } else {
        return false;
      }
    }
    next = messages.back().sequence + 1;
    if (next <= head.sequence) beat();  // a beat is a write of the engine's: a short read needs none
  }
  return true;
}

// From the end back to what the last summary stands for.
void Transcripts::begin(Transcript& out, const std::function<void()>& beat) {
  std::vector<platform::Message> back;  // newest first
  std::uint64_t needed = 1;
  for (std::uint64_t last = out.head.sequence; last >= needed && last > 0;) {
    const std::uint64_t first = last > kPage ? last - kPage + 1 : 1;
    auto messages = page(out.head, first, last);
    for (auto message = messages.rbegin(); message != messages.rend(); ++message) {
      if (needed == 1) {
        if (const auto summary = summary_from_json(message->json)) needed = summary->to + 1;
      }
      back.push_back(std::move(*message));
    }
    last = first - 1;
    if (last >= needed && last > 0) beat();
  }
  for (auto message = back.rbegin(); message != back.rend(); ++message)
    add(out, message->sequence, message->json);
  if (out.first || out.head.sequence == 0) return;
  Transcript only;
  for (const platform::Message& message : page(out.head, 1, 1)) add(only, message.sequence, message.json);
  out.first = only.first;
}

TranscriptPtr Transcripts::read(const platform::Reference& head, const std::function<void()>& beat) {
  const TranscriptPtr before = kept(head.conversation);
  if (before && before->head == head) return before;
  auto out = std::make_shared<Transcript>();
  out->head = head;
  if (!before || !go_on(*before, *out, beat)) {
    *out = Transcript();
    out->head = head;
    begin(*out, beat);
  }
  keep(out);
  return out;
}

void Transcripts::wrote(const platform::Reference& behind, const std::vector<std::string>& messages,
                        const platform::Reference& head) {
  const TranscriptPtr before = behind.sequence == 0 ? nullptr : kept(behind.conversation);
  if (behind.sequence != 0 && (!before || before->head != behind)) return;  // it is read when it is wanted
  auto out = before ? std::make_shared<Transcript>(*before) : std::make_shared<Transcript>();
  out->head = head;
  std::uint64_t sequence = behind.sequence;
  for (const std::string& json : messages) add(*out, ++sequence, json);
  if (sequence == head.sequence) keep(out);
}

SaidPtr Transcripts::last(const platform::Reference& head) {
  const TranscriptPtr here = kept(head.conversation);
  const bool known = here && here->head == head && !here->said.empty();
  return known && here->said.back()->sequence == head.sequence ? here->said.back() : nullptr;
}

TranscriptPtr Transcripts::kept(const std::string& conversation) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(conversation);
  if (place == places_.end()) return nullptr;
  kept_.splice(kept_.begin(), kept_, place->second);
  return kept_.front();
}

void Transcripts::drop(Kept::iterator one) {
  bytes_ -= (*one)->bytes;
  places_.erase((*one)->head.conversation);
  kept_.erase(one);
}

void Transcripts::keep(const TranscriptPtr& transcript) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(transcript->head.conversation);
  if (place != places_.end()) drop(place->second);
  if (transcript->bytes > kMaxBytes / 4) return;
  kept_.push_front(transcript);
  places_[transcript->head.conversation] = kept_.begin();
  bytes_ += transcript->bytes;
  while (bytes_ > kMaxBytes || kept_.size() > kMaxKept) drop(std::prev(kept_.end()));
}

}  // namespace holdfast::agent
