// holdfast agent import: what others describe, as tools of a definition. The definition goes to standard
// output, what was left out to standard error.

#include "activities/catalog.h"
#include "app/commands.h"
#include "app/exit_code.h"
#include "app/input_file.h"
#include "app/output.h"
#include "app/printable.h"
#include "net/fetch.h"
#include "openapi/import.h"
#include "os/thread_executor.h"

#include <fmt/format.h>

namespace holdfast::app {

namespace {

constexpr std::chrono::seconds kPatience{60};

Result<std::string> document_text(const std::string& source) {
  if (source.find("://") == std::string::npos) return read_file(source, openapi::kMaxDocumentBytes);
  os::ThreadExecutor loop("http-client");
  const auto client = net::curl_http_client(loop, net::Egress::kAnywhere);
  net::HttpRequest request;
  request.url = source;
  request.headers = {{"Accept", "application/json, application/yaml, */*"}};
  request.total_timeout = kPatience;
  request.max_response_bytes = openapi::kMaxDocumentBytes;
  request.follow_redirects = true;
  auto response = net::fetch(*client, std::move(request));
  if (!response) return fail(Code::kUnavailable, fmt::format("{}: {}", source, response.error().message));
  if (response->head.status != 200)
    return fail(Code::kUnavailable, fmt::format("{}: the server answered {}", source, response->head.status));
  return std::move(response->body);
}

}  // namespace

int import_openapi(const ImportOpenapiOptions& from) {
  auto text = document_text(from.source);
  if (!text) return refuse(text.error());
  openapi::ImportOptions options;
  options.source = from.source;
  options.select = from.select;
  options.server = from.server;
  options.name = from.name;
  options.tools_only = from.tools_only;
  auto imported = openapi::import_tools(*text, options);
  if (!imported) return refuse(imported.error());
  if (!from.tools_only) {
    // What is written here is applied as it is.
    if (auto read = agent::parse_definition(imported->yaml, "agent.yaml"); !read) return refuse(read.error());
  }
  for (const std::string& note : imported->notes) complain("note: " + printable(note));
  return write_out(imported->yaml) ? kExitOk : kExitError;
}

}  // namespace holdfast::app
