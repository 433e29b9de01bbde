// Where a server can be reached, as it says that itself: when it is ready, and in links.

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "app/node.h"
#include "app/output.h"
#include "base/json.h"
#include "os/unix_socket.h"

namespace holdfast::app {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

void Node::announce(milliseconds took) const {
  const std::string http = address_of_page();
  Json ready = {{"event", "ready"},
                {"version", HOLDFAST_VERSION},
                {"pid", ::getpid()},
                {"http", http},
                {"http_socket", options_.http_socket ? Json(*options_.http_socket) : Json(nullptr)},
                {"grpc", grpc_.empty() ? Json(nullptr) : Json(grpc_)},
                {"grpc_socket", options_.grpc_socket ? Json(*options_.grpc_socket) : Json(nullptr)},
                {"engine", engine_name()},
                {"data", data_->path()},
                {"platform_store", platform_name_.empty() ? Json(nullptr) : Json(platform_name_)},
                {"started_in_ms", took.count()}};
  data_->write_addresses(dump_json(ready) + "\n");
  // For whoever started it, and in no file.
  if (!identity_->set_up_token().empty()) ready["set_up_token"] = identity_->set_up_token();
  // A server whose words nobody takes serves all the same.
  if (!write_out(options_.json ? dump_json(ready) + "\n" : greeting(http, took)))
    complain(fmt::format("ready, but standard output cannot be written: {}", std::strerror(errno)));
}

std::string Node::address_of_page() const {
  const std::string& bound = server_->address();
  return os::unix_path(bound) ? bound : (identity_->http_tls() ? "https://" : "http://") + bound;
}

std::string Node::url_of_page() const {
  return options_.public_url.value_or(server_->port() == 0 ? "http://localhost" : address_of_page());
}

std::string Node::greeting(const std::string& http, milliseconds took) const {
  std::string engine =
      grpc_.empty() ? engine_name() : fmt::format("{} (gRPC, Temporal's WorkflowService)", grpc_);
  std::string text = fmt::format("{} {} is ready ({} ms)\n", coloured(Colour::kBold, "holdfast"),
                                 HOLDFAST_VERSION, took.count());
  text += fmt::format("  page and API  {}\n", coloured(Colour::kBlue, http + "/"));
  text += fmt::format("  engine        {}\n", engine);
  text += fmt::format("  data          {}\n", data_->path().string());
  if (!platform_name_.empty()) text += fmt::format("  platform      {}\n", platform_name_);
  if (!identity_->set_up_token().empty())
    text += fmt::format("  first admin   POST {}/api/v1/setup, once, with the token\n                {}\n",
                        http, identity_->set_up_token());
  if (dev_) text += fmt::format("  demo          {}/runs/{}\n", http, dev_->demo_run());
  if (dev_) text += fmt::format("  OpenAI's API  {}/v1, models hello and refund\n", http);
  return text + "  stop with Ctrl-C; everything acknowledged is on disk\n";
}

}  // namespace holdfast::app
