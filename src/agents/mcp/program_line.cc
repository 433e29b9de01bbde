#include "mcp/program_line.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "os/child_process.h"
#include "spec/template.h"

namespace holdfast::mcp {

namespace {

using std::chrono::milliseconds;
using FailureKind = Failure::Kind;

constexpr milliseconds kStep{500};  // between two looks at whether the caller still wants it
constexpr milliseconds kPatience{
    20'000};                           // with a server that does not know `server/discover` and says nothing
constexpr std::int64_t kNobody = 0;    // no request has this id
constexpr milliseconds kFarewell{50};  // to tell it that a request is given up

class ProgramLine final : public Line {
 public:
  ProgramLine(std::shared_ptr<const McpServer> server, std::unique_ptr<os::ChildProcess> program)
      : server_(std::move(server)), program_(std::move(program)) {}

  Outcome<Json> exchange(const Json& message, const net::Headers&, const Access& access) override {
    const auto id = message["id"].get<std::int64_t>();
    std::string out = dump_json(message) + "\n";
    std::string_view unsent = out;
    std::size_t heard = 0;
    while (true) {
      if (auto answer = next_answer(id, out, unsent)) return *std::move(answer);
      if (access.stop.stop_requested())
        return given_up(id, FailureKind::kCancelled, "the call was cancelled");
      if (access.left().count() <= 0)
        return given_up(id, FailureKind::kUnreachable, "no answer within the time of the call");
      const std::size_t before = unread_.size();
      if (!program_->turn(unsent, unread_, std::min(kStep, access.left()))) return gone();
      heard += unread_.size() - before;
      if (std::max(heard, unread_.size()) > server_->max_response_bytes + os::ChildProcess::kPieceBytes) {
        over_ = true;
        return failed(FailureKind::kTooLarge,
                      fmt::format("it says more than {} bytes", server_->max_response_bytes));
      }
      if (access.heartbeat.beat) access.heartbeat.beat();
    }
  }

  Outcome<void> notify(const Json& message, const Access& access) override {
    const std::string out = dump_json(message) + "\n";
    std::string_view unsent = out;
    while (!unsent.empty() && access.left().count() > 0 && !access.stop.stop_requested()) {
      if (!program_->turn(unsent, unread_, std::min(kStep, access.left())))
        return std::unexpected(gone().error());
      if (unread_.size() > server_->max_response_bytes)
        return failed(FailureKind::kTooLarge, "it says more than is read");
      if (access.heartbeat.beat) access.heartbeat.beat();
    }
    return {};
  }

  bool is_alive() override {
    std::string_view nothing;
    if (over_) return false;
    // What it said unasked is heard before the next request.
    for (std::size_t before = unread_.size() + 1; before != unread_.size() && !over_;) {
      before = unread_.size();
      if (!program_->turn(nothing, unread_, milliseconds(0))) over_ = true;
      if (unread_.size() > server_->max_response_bytes) over_ = true;
    }
    std::string out;
    std::string_view unsent;
    static_cast<void>(next_answer(kNobody, out, unsent));
    if (!over_ && !unsent.empty()) over_ = !program_->turn(unsent, unread_, kFarewell) || !unsent.empty();
    return !over_;
  }
  std::optional<milliseconds> patience() const override { return kPatience; }

 private:
  // The answer among what was read, once it is whole. Replies to the server's own requests go behind `out`.
  std::optional<Outcome<Json>> next_answer(std::int64_t id, std::string& out, std::string_view& unsent) {
    std::size_t begin = 0;
    std::optional<Outcome<Json>> answer;
    for (std::size_t end = 0;
         !answer && (end = unread_.find('\n', std::max(begin, searched_))) != std::string::npos;
         begin = end + 1) {
      const std::string_view line = std::string_view(unread_).substr(begin, end - begin);
      for (Json& message : messages_in(parse_message(line))) {
        if (answers(message, id) || is_error_of_nobody(message)) {
          answer = std::move(message);
        } else if (kind_of(message) == Kind::kNotification) {
          hear(message);
        } else if (kind_of(message) == Kind::kRequest && !dialect.modern &&
                   unsent.size() < os::ChildProcess::kPieceBytes) {
          out = std::string(unsent) + dump_json(reply_to(message)) + "\n";
          unsent = out;
        } else if (auto why = message.is_discarded() ? broken_message(line) : std::nullopt) {
          answer = failed(FailureKind::kBroken, *std::move(why));
        }
      }
    }
    unread_.erase(0, begin);
    searched_ = answer ? 0 : unread_.size();
    return answer;
  }

  // What was not understood names no request; the one that waits is the only one.
  static bool is_error_of_nobody(const Json& message) {
    return kind_of(message) == Kind::kAnswer && says_error(message) &&
           (!message.contains("id") || message["id"].is_null());
  }

  Outcome<Json> given_up(std::int64_t id, FailureKind kind, std::string why) {
    const std::string out =
        dump_json(notification("notifications/cancelled", {{"requestId", id}, {"reason", why}})) + "\n";
    std::string_view unsent = out;
    static_cast<void>(program_->turn(unsent, unread_, kFarewell));
    over_ = over_ || !unsent.empty();  // half a message would spoil the next one
    return failed(kind, std::move(why));
  }

  Outcome<Json> gone() {
    over_ = true;
    const auto how = program_->ending();
    std::string text = fmt::format("the program {}", how ? *how : "closed its output");
    const std::string words = bounded_text(to_utf8(std::string(program_->last_words())), 1000);
    if (!words.empty()) text += "; it said: " + words;
    return failed(FailureKind::kUnreachable, std::move(text));
  }

  const std::shared_ptr<const McpServer> server_;
  const std::unique_ptr<os::ChildProcess> program_;
  std::string unread_;
  std::size_t searched_ = 0;  // so much of it holds no end of a line
  bool over_ = false;
};

}  // namespace

Outcome<std::unique_ptr<Line>> program_line(std::shared_ptr<const McpServer> server, const Access& access) {
  if (Status may = access.permits->command(server->command); !may.ok()) return failed(may);
  os::ChildProcess::Options options;
  options.command = server->command;
  const auto lookup = [&](const std::string& name) { return access.permits->program_variable(name); };
  for (const auto& [name, value] : server->environment) {
    auto text = spec::fill_environment(value, lookup);
    if (!text) return failed(text.error());
    if (text->find('\0') != std::string::npos) {
      return failed(Status(Code::kFailedPrecondition,
                           fmt::format("the variable {} of the MCP server would hold a zero byte", name)));
    }
    options.environment.push_back(name + "=" + *text);
  }
  auto program = os::ChildProcess::start(options);
  if (!program) {
    return failed(
        program.error().code() == Code::kUnavailable ? FailureKind::kUnreachable : FailureKind::kNotSent,
        program.error().message());
  }
  return std::make_unique<ProgramLine>(std::move(server), *std::move(program));
}

}  // namespace holdfast::mcp
