#include "base/redaction.h"

#include <algorithm>

#include "base/base64.h"
#include "base/json.h"
#include "base/url.h"

namespace holdfast {

namespace {

std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kBlanks) + 1 - first));
}

std::string escaped(const std::string& text) {
  const std::string quoted = dump_json(nlohmann::json(text));
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

Redaction::Redaction(const std::vector<Secret>& secrets) {
  for (const Secret& secret : secrets) {
    // A file's last newline is not what is sent.
    const std::string value = trimmed(secret.value);
    for (const std::string& text :
         {secret.value, value, escaped(value), percent_encode(value), base64(value), base64url(value)}) {
      if (value.size() >= kMinBytes) add(text, secret.name);
    }
  }
  // Where several begin, the longest counts.
  std::sort(needles_.begin(), needles_.end(), [](const Needle& a, const Needle& b) {
    return a.text.size() != b.text.size() ? a.text.size() > b.text.size() : a.text < b.text;
  });
}

void Redaction::add(const std::string& text, const std::string& name) {
  const bool known = std::any_of(needles_.begin(), needles_.end(),
                                 [&](const Needle& needle) { return needle.text == text; });
  if (!known) needles_.push_back({text, "[secret " + name + "]"});
}

bool Redaction::touches(std::string_view text) const {
  return std::any_of(needles_.begin(), needles_.end(),
                     [&](const Needle& needle) { return text.find(needle.text) != std::string_view::npos; });
}

std::string Redaction::replaced(std::string_view text, std::size_t limit, std::size_t& end) const {
  std::vector<std::size_t> next(needles_.size());
  for (std::size_t i = 0; i < needles_.size(); ++i) next[i] = text.find(needles_[i].text);
  std::string out;
  end = 0;
  while (true) {
    std::size_t best = needles_.size();
    for (std::size_t i = 0; i < needles_.size(); ++i) {
      if (next[i] != std::string_view::npos && next[i] < end) next[i] = text.find(needles_[i].text, end);
      if (next[i] < limit && (best == needles_.size() || next[i] < next[best])) best = i;
    }
    if (best == needles_.size()) break;
    out.append(text, end, next[best] - end).append(needles_[best].in_its_place);
    end = next[best] + needles_[best].text.size();
  }
  if (end >= limit) return out;
  out.append(text, end, limit - end);
  end = limit;
  return out;
}

std::string Redaction::apply(std::string text) const {
  if (!touches(text)) return text;
  std::size_t end = 0;
  return replaced(text, text.size(), end);
}

std::string Redaction::Stream::add(std::string_view piece) {
  held_ += piece;
  // What may still become a secret: the longest end of the text that one begins with.
  std::size_t keep = 0;
  for (const Needle& needle : redaction_.needles_) {
    for (std::size_t length = std::min(needle.text.size() - 1, held_.size()); length > keep; --length) {
      if (std::string_view(held_).ends_with(std::string_view(needle.text).substr(0, length))) keep = length;
    }
  }
  std::size_t end = 0;
  std::string out = redaction_.replaced(held_, held_.size() - keep, end);
  held_.erase(0, end);
  return out;
}

std::string Redaction::Stream::finish() {
  std::string out = redaction_.apply(std::move(held_));
  held_.clear();
  return out;
}

}  // namespace holdfast
