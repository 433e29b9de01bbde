#include "mcp/client.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "base/sha256.h"
#include "mcp/answer_text.h"
#include "mcp/http_line.h"
#include "mcp/program_line.h"
#include "spec/template.h"

namespace holdfast::mcp {

namespace {

using FailureKind = Failure::Kind;

// Whether the line is as good as before.
bool is_the_servers_answer(FailureKind kind) {
  return kind == FailureKind::kError || kind == FailureKind::kChanged || kind == FailureKind::kInputNeeded ||
         kind == FailureKind::kBusy;
}

}  // namespace

Client::Client(net::HttpClient& http, oauth::Tokens& tokens, const Clock& clock, Executor& janitor)
    : http_(http), tokens_(tokens), clock_(clock) {
  janitor.post([this] { tidy(); });
}

Client::~Client() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return tidied_; });
  std::list<Waiting> rest = std::move(waiting_);
  lock.unlock();
}

// Ends lines that nobody used for long.
void Client::tidy() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const MonotonicTime now = clock_.monotonic();
    auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(kIdleProgram);
    std::list<Waiting> over;
    for (auto it = waiting_.begin(); it != waiting_.end();) {
      const auto next = std::next(it);
      if (it->until <= now) {
        over.splice(over.end(), waiting_, it);
      } else {
        wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(it->until - now));
      }
      it = next;
    }
    if (!over.empty()) {
      lock.unlock();
      for (Waiting& one : over) end_program(std::move(one.line), one.is_program);
      lock.lock();
      continue;
    }
    changed_.wait_for(lock, wait);
  }
  tidied_ = true;
  changed_.notify_all();
}

void Client::end_program(std::unique_ptr<Line> line, bool is_program) {
  line.reset();
  if (!is_program) return;
  std::lock_guard lock(mutex_);
  --programs_;
}

// What a line was made with. Another token in the environment is another line.
Outcome<std::string> Client::key_of(const McpServer& server, const Access& access) const {
  Json made_of = Json::array({agent::mcp_server_json(server)});
  for (const auto& [unused, value] : server.environment) {
    auto text = spec::fill_environment(
        value, [&](const std::string& name) { return access.permits->program_variable(name); });
    if (!text) return failed(text.error());
    made_of.push_back(*text);
  }
  return sha256_hex(dump_json(made_of));
}

Outcome<std::unique_ptr<Line>> Client::line_to(const std::shared_ptr<const McpServer>& server,
                                               const std::string& key, const Access& access) {
  const bool is_program = !server->command.empty();
  if (is_program) {  // a line that waits was permitted when it was made
    if (Status may = access.permits->command(server->command); !may.ok()) return failed(may);
  }
  std::unique_lock lock(mutex_);
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto next = std::next(it);
    if (it->server == key) {
      std::unique_ptr<Line> line = std::move(it->line);
      waiting_.erase(it);
      lock.unlock();
      if (line->is_alive()) return line;
      end_program(std::move(line), is_program);
      lock.lock();
      it = waiting_.begin();
      continue;
    }
    it = next;
  }
  if (!is_program) {
    lock.unlock();
    return http_line(server, http_, tokens_);
  }
  // Another server's program that nobody uses makes room.
  if (programs_ >= kMaxPrograms) {
    const auto idle =
        std::find_if(waiting_.begin(), waiting_.end(), [](const Waiting& one) { return one.is_program; });
    if (idle == waiting_.end())
      return failed(FailureKind::kBusy, fmt::format("{} programs of MCP servers run already", kMaxPrograms));
    std::unique_ptr<Line> line = std::move(idle->line);
    waiting_.erase(idle);
    lock.unlock();
    end_program(std::move(line), true);
    lock.lock();
  }
  ++programs_;
  lock.unlock();
  auto line = program_line(server, access);
  if (!line) end_program(nullptr, true);
  return line;
}

void Client::keep(const McpServer& server, std::string key, std::unique_ptr<Line> line) {
  Waiting one;
  one.server = std::move(key);
  one.line = std::move(line);
  one.is_program = !server.command.empty();
  one.until = clock_.monotonic() + (one.is_program ? kIdleProgram : kIdleLine);
  std::optional<Waiting> out;
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(one));
    if (waiting_.size() > kMaxIdleLines) {
      out = std::move(waiting_.front());
      waiting_.pop_front();
    }
  }
  if (out) end_program(std::move(out->line), out->is_program);
  changed_.notify_all();
}

// A line of which something throws, which only a heartbeat does, is not kept.
struct Client::Use {
  Client& client;
  std::unique_ptr<Line> line;
  bool is_program;
  ~Use() {
    if (line) client.end_program(std::move(line), is_program);
  }
};

template <class T, class Do>
Outcome<T> Client::with_line(const std::shared_ptr<const McpServer>& server, const Access& access, Do what) {
  auto key = key_of(*server, access);
  if (!key) return std::unexpected(key.error());
  auto line = line_to(server, *key, access);
  if (!line) return std::unexpected(line.error());
  Use use{*this, *std::move(line), !server->command.empty()};
  Outcome<T> out = what(*use.line);
  if (!out && out.error().kind == FailureKind::kNoSession) {
    use.line->dialect = {};
    use.line->pins_until = {};
    out = what(*use.line);
  }
  if (out || is_the_servers_answer(out.error().kind)) keep(*server, *std::move(key), std::move(use.line));
  return out;
}

Outcome<Listing> Client::list(const std::shared_ptr<const McpServer>& server, const Access& access) {
  return with_line<Listing>(server, access, [&](Line& line) { return list_tools(line, *server, access); });
}

Outcome<Answer> Client::call(const std::shared_ptr<const McpServer>& server, const ToolCall& call,
                             const Access& access) {
  return with_line<Answer>(server, access, [&](Line& line) -> Outcome<Answer> {
    auto result = call_tool(line, *server, call, access);
    if (!result) return std::unexpected(result.error());
    return Answer{answer_text(*result), is_failure(*result)};
  });
}

}  // namespace holdfast::mcp
