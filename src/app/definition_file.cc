#include "app/definition_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "activities/deploy.h"
#include "app/input_file.h"

namespace holdfast::app {

namespace {

constexpr std::string_view kFirstDefinition =
    R"yaml(# An agent. Check it with `holdfast agent validate {file}`, put it on a server with
# `holdfast agent apply {file}`, run it with `holdfast run {name} "..."`.
# Every key is explained in docs/guide/agents.md; `holdfast agent schema` prints a JSON Schema for editors.
apiVersion: holdfast.dev/v1
kind: Agent
metadata:
  name: {name}
  description: Answers questions with what its tools find.
spec:
  model:
    provider: openai              # or openai_responses, anthropic, gemini
    name: gpt-4o-mini
    api_key_env: OPENAI_API_KEY   # the name of the variable, never the key
    # base_url: http://localhost:11434/v1    # any compatible server: Ollama, vLLM, llama.cpp

  prompt: |
    You answer questions briefly. Say so when you do not know something.

  tools:
    - name: pause
      type: wait                  # pauses for a time, at no cost and across restarts
      description: Waits before the question is looked at again.
      wait: {{max: 7d}}

    # A tool that reads a database; with `read_only: false` it writes, exactly once.
    # - name: find_order
    #   type: sql
    #   description: One order by its number.
    #   parameters:
    #     properties: {{order_id: {{type: integer}}}}
    #     required: [order_id]
    #   sql:
    #     database: shop.db       # relative to this file
    #     statement: SELECT * FROM orders WHERE id = :order_id

    # A tool that calls an HTTP API.
    # - name: notify
    #   type: http
    #   description: Posts a message to a channel.
    #   effect: idempotent        # the receiver honours the Idempotency-Key header
    #   parameters:
    #     properties: {{text: {{type: string}}}}
    #     required: [text]
    #   http: {{method: POST, url: https://hooks.example.com/channel, body: {{text: "{{text}}"}}}}

  approvals:
    default: allow                # allow, ask or deny what no rule names
    # rules:
    #   - {{tool: notify, action: ask, reason: A person reads it first., expires_after: 24h}}

  limits:
    max_iterations: 10            # model calls of one run
)yaml";

Status cannot_write(const std::string& file, int error) {
  if (error == EEXIST)
    return {Code::kAlreadyExists, fmt::format("{} is there already; it was left alone", file)};
  return {Code::kUnavailable, fmt::format("{} cannot be written: {}", file, std::strerror(error))};
}

}  // namespace

bool names_file(const std::string& agent) {
  return agent.ends_with(".yaml") || agent.ends_with(".yml") || agent.ends_with(".json") ||
         agent.find('/') != std::string::npos;
}

Result<DefinitionFile> read_definition_file(const std::string& file) {
  auto text = read_file(file);
  if (!text) return fail(text.error());
  auto read = agent::read_definition(*text, file, folder_of(file));
  if (!read) return fail(read.error());
  return DefinitionFile{read->name, agent::version_of(*read), agent::canonical_json(*read)};
}

Status write_first_definition(const std::string& file, const std::string& name) {
  const std::string text =
      fmt::format(fmt::runtime(kFirstDefinition), fmt::arg("file", file), fmt::arg("name", name));
  // A name that no definition may have is found before anything is written.
  if (auto read = agent::read_definition(text, file, folder_of(file)); !read) return read.error();
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return cannot_write(file, errno);
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int error = errno;
      ::close(fd);
      ::unlink(file.c_str());
      return cannot_write(file, error);
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::close(fd) == 0 ? Status() : cannot_write(file, errno);
}

nlohmann::ordered_json problems_json(const std::string& file, const std::string& message) {
  auto out = nlohmann::ordered_json::array();
  const std::string prefix = file + ":";
  std::string_view rest = message;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    nlohmann::ordered_json problem = nlohmann::ordered_json::object();
    if (line.starts_with(prefix)) line.remove_prefix(prefix.size());
    for (const char* place : {"line", "column"}) {
      int number = 0;
      const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), number);
      if (error != std::errc() || stop == line.data() + line.size() || *stop != ':') break;
      problem[place] = number;
      line.remove_prefix(static_cast<std::size_t>(stop - line.data()) + 1);
    }
    if (line.starts_with(' ')) line.remove_prefix(1);
    problem["message"] = line;
    out.push_back(std::move(problem));
  }
  return out;
}

}  // namespace holdfast::app
