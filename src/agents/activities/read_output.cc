// read_output: parts of an output that was too large to be shown whole; and where in it something stands.

#include <algorithm>

#include <fmt/format.h>

#include "activities/builtin_tools.h"
#include "base/check.h"
#include "base/json.h"
#include "base/text.h"

namespace holdfast::agent {

namespace {

constexpr std::size_t kLeastRead = 256;
constexpr std::size_t kMaxMatches = 50;
constexpr std::size_t kAroundMatch = 80;  // bytes on each side that are shown
constexpr std::size_t kWords = 200;       // of ours, around what was read

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// The content, a piece at a time.
class Output {
 public:
  Output(const BuiltinCall& call, const platform::Blob& blob) : call_(call), blob_(blob) {}

  std::uint64_t size() const { return static_cast<std::uint64_t>(blob_.bytes); }

  Result<std::string> read(std::uint64_t offset, std::size_t length) const {
    call_.beat();
    return call_.store.read_blob(blob_.sha256, offset, length);
  }

  // Calls `each(offset, piece)` until it says false.
  template <typename Each>
  Status pieces(Each each) const {
    for (std::uint64_t at = 0; at < size(); at += platform::kBlobPiece) {
      Result<std::string> piece = read(at, platform::kBlobPiece);
      if (!piece) return piece.error();
      if (piece->empty()) return {Code::kDataLoss, "a part of the output is gone"};
      if (!each(at, *piece)) break;
    }
    return {};
  }

 private:
  const BuiltinCall& call_;
  const platform::Blob& blob_;
};

ToolEnding failed(const Status& status) {
  switch (status.code()) {
    case Code::kNotFound:
    case Code::kInvalidArgument:
    case Code::kDataLoss: return {Ending::kFailed, status.message()};
    default: return {Ending::kRetry, status.message()};
  }
}

// Whole characters only; how many bytes were left out in front is added to `offset`.
std::string_view whole_characters(std::string_view text, std::uint64_t& offset) {
  std::size_t begin = 0;
  while (begin < text.size() && begin < 4 && (static_cast<unsigned char>(text[begin]) & 0xc0) == 0x80)
    ++begin;
  text.remove_prefix(begin);
  offset += begin;
  std::size_t end = text.size();
  while (end > 0 && (static_cast<unsigned char>(text[end - 1]) & 0xc0) == 0x80) --end;
  // Bytes from the last character's first one on: all of it, or none.
  if (end > 0 && !is_utf8(text.substr(end - 1))) return text.substr(0, end - 1);
  return text;
}

ToolEnding read_bytes(const Output& output, std::uint64_t from, std::size_t length) {
  if (from >= output.size()) {
    return {Ending::kFailed,
            fmt::format("the output has {} bytes; there are none from {} on", output.size(), from)};
  }
  // A character that is longer than what was asked for comes whole, or nobody would get past it.
  constexpr std::size_t kSurelyOne = 8;
  for (const std::size_t asked : {length, std::max(length, kSurelyOne)}) {
    Result<std::string> bytes = output.read(from, asked);
    if (!bytes) return failed(bytes.error());
    std::uint64_t offset = from;
    const std::string_view text = whole_characters(*bytes, offset);
    if (text.empty() && asked < kSurelyOne) continue;
    const std::uint64_t end = text.empty() ? from + bytes->size() : offset + text.size();
    return {
        Ending::kDone,
        fmt::format("[bytes {} to {} of {}{}]\n{}", offset, end, output.size(),
                    end < output.size() ? fmt::format("; go on with offset {}", end) : "; the end", text)};
  }
  HF_CHECK(false);
}

ToolEnding read_lines(const Output& output, std::uint64_t first, std::uint64_t count, std::size_t limit) {
  std::uint64_t line = 1;
  std::uint64_t begin = 0;  // of what is read
  std::string text;         // one byte more than is shown, where there are more
  const Status status = output.pieces([&](std::uint64_t at, std::string_view piece) {
    while (!piece.empty()) {
      const std::size_t end = piece.find('\n');
      const std::size_t size = end == std::string_view::npos ? piece.size() : end + 1;
      if (line >= first) {
        if (text.empty()) begin = at;
        text += piece.substr(0, std::min(size, limit + 1 - text.size()));
        if (text.size() > limit) return false;
      }
      if (end != std::string_view::npos && ++line > first && line - first >= count) return false;
      piece.remove_prefix(size);
      at += size;
    }
    return true;
  });
  if (!status.ok()) return failed(status);
  if (text.empty())
    return {Ending::kFailed, fmt::format("the output has {} lines; there is none from {} on", line, first)};
  const std::string_view shown = cut_text(text, limit);
  const std::uint64_t end = begin + shown.size();
  const std::string cut = text.size() > limit ? fmt::format(", cut at byte {} of {}; go on with offset {}",
                                                            end, output.size(), end)
                                              : "";
  return {Ending::kDone, fmt::format("[lines from {} on{}]\n{}", first, cut, shown)};
}

// Finds a text in pieces, its case aside; one that lies across two of them, too.
ToolEnding search(const Output& output, const std::string& wanted, std::size_t limit) {
  std::string needle = wanted;
  std::transform(needle.begin(), needle.end(), needle.begin(), lower);
  std::string window;           // the end of the piece before, and this one
  std::uint64_t window_at = 0;  // where it begins
  std::uint64_t line_at = 0;    // up to there lines are counted
  std::uint64_t line = 1;
  Json matches = Json::array();
  std::size_t bytes = 0;
  const std::size_t keep = needle.size() + 2 * kAroundMatch;
  std::uint64_t next = 0;  // no match begins before
  bool more = false;
  const auto look = [&](bool last) {
    std::string folded = window;
    std::transform(folded.begin(), folded.end(), folded.begin(), lower);
    std::size_t at = next > window_at ? static_cast<std::size_t>(next - window_at) : 0;
    while ((at = folded.find(needle, at)) != std::string::npos) {
      // What follows a match is shown with it; near the end of a window the next one sees more of it.
      if (!last && at + needle.size() + kAroundMatch > window.size()) break;
      if (matches.size() == kMaxMatches || bytes > limit) return more = true, false;
      const std::uint64_t offset = window_at + at;
      line += static_cast<std::uint64_t>(
          std::count(window.begin() + static_cast<std::ptrdiff_t>(line_at - window_at),
                     window.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
      line_at = offset;
      const std::size_t begin = at - std::min(at, kAroundMatch);
      std::uint64_t unused = 0;
      const std::string around(whole_characters(
          std::string_view(window).substr(begin, at - begin + needle.size() + kAroundMatch), unused));
      matches.push_back({{"offset", offset}, {"line", line}, {"text", around}});
      bytes += around.size() + 60;
      at += needle.size();
      next = window_at + at;
    }
    return true;
  };
  const Status status = output.pieces([&](std::uint64_t at, std::string_view piece) {
    if (window.size() > keep) {
      const std::size_t drop = window.size() - keep;
      if (line_at < window_at + drop) {
        line += static_cast<std::uint64_t>(
            std::count(window.begin() + static_cast<std::ptrdiff_t>(line_at - window_at),
                       window.begin() + static_cast<std::ptrdiff_t>(drop), '\n'));
        line_at = window_at + drop;
      }
      window.erase(0, drop);
      window_at += drop;
    }
    window += piece;
    return look(at + piece.size() >= output.size());
  });
  if (!status.ok()) return failed(status);
  if (matches.empty()) return {Ending::kDone, fmt::format("`{}` does not stand in the output", wanted)};
  Json out = {{"matches", std::move(matches)}};
  if (more) out["more"] = "there are more; search for something rarer";
  return {Ending::kDone, dump_json(out)};
}

ToolEnding run(const BuiltinCall& call) {
  const Json& arguments = call.arguments;
  const Result<platform::Blob> blob =
      call.store.blob(call.run, call.conversation, arguments.value("output", ""));
  if (!blob) return failed(blob.error());
  const Output output(call, *blob);
  const std::size_t shown = call.agent.limits.max_tool_output_bytes;
  const std::size_t limit =
      std::min(std::max(kLeastRead, shown - std::min(shown, kWords)), platform::kMaxBlobRead);
  if (arguments.contains("search")) return search(output, arguments["search"].get<std::string>(), limit);
  if (arguments.contains("line")) {
    return read_lines(output, arguments["line"].get<std::uint64_t>(),
                      arguments.value("lines", std::uint64_t{200}), limit);
  }
  const std::size_t length = std::min<std::uint64_t>(arguments.value("length", std::uint64_t{limit}), limit);
  return read_bytes(output, arguments.value("offset", std::uint64_t{0}), length);
}

// With any tool: then the beginning of a prompt does not change when the first large output comes.
bool offered(const AgentDefinition& agent) {
  return !agent.tools.empty();
}

constexpr std::string_view kParameters = R"json({
  "type": "object",
  "required": ["output"],
  "additionalProperties": false,
  "properties": {
    "output": {"type": "string", "pattern": "^[0-9a-f]{12,64}$", "description": "Which output, as it was named."},
    "offset": {"type": "integer", "minimum": 0, "description": "Read from this byte on; 0 by default."},
    "length": {"type": "integer", "minimum": 1, "description": "How many bytes; as many as are shown by default."},
    "line": {"type": "integer", "minimum": 1, "description": "Or read from this line on, counted from 1."},
    "lines": {"type": "integer", "minimum": 1, "description": "How many lines; 200 by default."},
    "search": {"type": "string", "minLength": 1, "maxLength": 400, "description": "Or tell where this text stands, in upper or lower case."}
  }
})json";

}  // namespace

constinit const BuiltinTool kReadOutput{
    .name = "read_output",
    .description = "Reads or searches an output of a tool that was too large to be shown whole.",
    .parameters = kParameters,
    .offered = offered,
    .run = run};

}  // namespace holdfast::agent
