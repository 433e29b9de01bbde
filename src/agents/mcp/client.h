#pragma once

// Client: the MCP servers of all agents of this process. Lines to them are used by one call at a time and
// kept for a while between calls, so that a session, or a program that takes a second to start, serves many.
// Bounded in number; what is over is ended, and with the client everything.
//
// Any thread; calls block. Never throws but what a heartbeat throws.

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>

#include "mcp/session.h"

namespace holdfast::mcp {

inline constexpr std::size_t kMaxPrograms = 32;   // that run at one time, those that wait included
inline constexpr std::size_t kMaxIdleLines = 64;  // to all servers
inline constexpr std::chrono::seconds kIdleProgram{60};
inline constexpr std::chrono::seconds kIdleLine{300};

struct Answer {
  std::string text;
  bool is_error = false;
};

class Client {
 public:
  // `janitor` must serve nothing else: the client occupies it until it is destroyed. All outlive the client.
  Client(net::HttpClient& http, oauth::Tokens& tokens, const Clock& clock, Executor& janitor);
  ~Client();

  Outcome<Listing> list(const std::shared_ptr<const McpServer>& server, const Access& access);
  Outcome<Answer> call(const std::shared_ptr<const McpServer>& server, const ToolCall& call,
                       const Access& access);

 private:
  struct Waiting {
    std::string server;  // of whom, as whom
    std::unique_ptr<Line> line;
    bool is_program = false;
    MonotonicTime until;
  };
  struct Use;

  template <class T, class Do>
  Outcome<T> with_line(const std::shared_ptr<const McpServer>& server, const Access& access, Do what);
  Outcome<std::unique_ptr<Line>> line_to(const std::shared_ptr<const McpServer>& server,
                                         const std::string& key, const Access& access);
  Outcome<std::string> key_of(const McpServer& server, const Access& access) const;
  void keep(const McpServer& server, std::string key, std::unique_ptr<Line> line);
  void end_program(std::unique_ptr<Line> line, bool is_program);
  void tidy();

  net::HttpClient& http_;
  oauth::Tokens& tokens_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Waiting> waiting_;  // the longest first; guarded by mutex_
  std::size_t programs_ = 0;    // guarded by mutex_
  bool stopping_ = false;       // guarded by mutex_
  bool tidied_ = false;         // guarded by mutex_
};

}  // namespace holdfast::mcp
