#include "app/api_session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "app/exit_code.h"
#include "app/input_file.h"
#include "app/output.h"
#include "app/skill_folder.h"
#include "base/json.h"
#include "base/json_member.h"
#include "base/url.h"
#include "net/client_tls.h"
#include "os/address.h"
#include "os/unix_socket.h"
#include "spec/yaml_documents.h"

namespace holdfast::app {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kReconnectPause{300};
constexpr milliseconds kStartPatience{2000};
constexpr milliseconds kStartPause{50};

// Only from where the address is from too: a key goes to no server but its own.
constexpr const char* kLocalKey = ".holdfast/local-key";

std::string read_line(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// HOST:PORT, a URL or unix:PATH.
bool is_of_this_machine(std::string_view address) {
  if (os::unix_path(address)) return true;
  if (const std::size_t scheme = address.find("://"); scheme != std::string_view::npos)
    address.remove_prefix(scheme + 3);
  const auto place = os::parse_host_port(address.substr(0, address.find('/')), 80);
  return place && os::is_loopback(*place);
}

}  // namespace

ApiSession::Place ApiSession::find(const ApiOptions& options) {
  std::string address;
  std::string key;
  if (options.api) {
    address = *options.api;
  } else if (const char* variable = std::getenv("HOLDFAST_API"); variable != nullptr && *variable != '\0') {
    address = variable;
  } else {
    std::ifstream file(".holdfast/addresses.json");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    Json running = parse_json<Json>(text);
    address = string_member(running, "http");
    if (!address.empty()) key = read_line(kLocalKey);
    if (address.empty()) address = "http://127.0.0.1:8233";
  }
  if (std::string own = environment("HOLDFAST_API_KEY"); !own.empty()) key = std::move(own);
  return {address, key};
}

int exit_code_of(int http_status) {
  switch (http_status) {
    case 404: return kExitNotFound;
    case 409:
    case 410:
    case 412: return kExitConflict;
    case 408:
    case 504: return kExitTimeout;
    case 400:
    case 415:
    case 422: return kExitUsage;
    default: return kExitError;
  }
}

ApiSession::ApiSession(const ApiOptions& options) {
  std::signal(SIGINT, [](int) { ::_exit(kExitInterrupted); });
  const MonotonicTime end = clock_.monotonic() + kStartPatience;
  open(find(options));
  // `holdfast server &` and what is said to it are pasted together. Where it serves it says when it is ready.
  while (may_be_starting() && clock_.monotonic() < end) {
    std::this_thread::sleep_for(kStartPause);
    open(find(options));
  }
}

void ApiSession::open(Place place) {
  api_.reset();
  http_.reset();
  place_ = std::move(place);
  const auto socket = os::unix_path(place_.address);
  http_ = net::curl_http_client(loop_, net::Egress::kAnywhere, {.ca_file = environment("HOLDFAST_CA")},
                                socket.value_or(""));
  api_.emplace(*http_, socket ? "localhost" : place_.address);
  api_->set_key(place_.key);
}

bool ApiSession::may_be_starting() const {
  if (!is_of_this_machine(place_.address)) return false;
  const auto ready = api_->get("/readyz");
  return !ready && (ready.error().status == 0 || string_member(ready.error().problem, "code") == "not_ready");
}

int ApiSession::report(const rest::ApiError& error) const {
  if (error.status == 0) {
    report_error("unreachable",
                 fmt::format("no Holdfast server answers at {} ({})",
                             os::unix_path(place_.address) ? place_.address : address(), error.message),
                 "start one with 'holdfast dev', or say where it is with --api or HOLDFAST_API");
    return kExitError;
  }
  report_problem(error.problem, error.status);
  return exit_code_of(error.status);
}

ApiSession::Reply ApiSession::reported(rest::ApiClient::Reply reply) const {
  if (reply) return *std::move(reply);
  return std::unexpected(report(reply.error()));
}

ApiSession::Reply ApiSession::get(const std::string& path) {
  return reported(api_->get(path));
}

ApiSession::Reply ApiSession::post(const std::string& path, const Json& body) {
  return reported(api_->post(path, body));
}

std::expected<std::string, int> ApiSession::get_text(const std::string& path, std::size_t at_most) {
  auto text = api_->get_text(path, at_most);
  if (!text) return std::unexpected(report(text.error()));
  return *std::move(text);
}

ApiSession::Reply ApiSession::erase(const std::string& path) {
  return reported(api_->erase(path));
}

std::expected<std::optional<Json>, int> ApiSession::find(const std::string& path) {
  auto reply = api_->get(path);
  if (reply) return std::optional<Json>(*std::move(reply));
  if (reply.error().status == 404) return std::optional<Json>();
  return std::unexpected(report(reply.error()));
}

ApiSession::Reply ApiSession::change(const std::string& method, const std::string& path, const Json& body,
                                     const std::string& etag) {
  return reported(api_->change(method, path, body, etag));
}

namespace {

// By its `kind`: YAML, of which JSON is a part.
bool is_flow(const std::string& text) {
  try {
    const std::vector<YAML::Node> documents = spec::yaml_documents(text);
    if (documents.empty() || !documents.front().IsMap()) return false;
    const YAML::Node kind = documents.front()["kind"];
    return kind && kind.IsScalar() && kind.Scalar() == "Flow";
  } catch (const YAML::Exception&) {
    return false;  // the server tells where it is broken, whichever of the two it is
  }
}

}  // namespace

ApiSession::Reply ApiSession::put_definition(const std::string& file, const std::string& text) {
  const std::string place = "source=" + percent_encode(file) + "&base=" + percent_encode(folder_of(file));
  if (is_flow(text)) return reported(api_->post_text("/api/v1/flows?" + place, "application/yaml", text));
  auto whole = with_skills(file, text);
  if (!whole) return std::unexpected(refuse(whole.error()));
  return reported(api_->post_text("/api/v1/agents?" + place, "application/yaml", *std::move(whole)));
}

std::expected<void, int> ApiSession::follow(const std::string& path, std::string cursor, milliseconds timeout,
                                            const std::function<bool(const rest::Event&)>& on_event) {
  const MonotonicTime end = timeout.count() > 0 ? clock_.monotonic() + timeout : MonotonicTime::max();
  const auto left = [&] {
    return std::min(milliseconds(1000), std::chrono::ceil<milliseconds>(end - clock_.monotonic()));
  };
  rest::EventStream stream(*api_, clock_, path, std::move(cursor));
  bool connected_before = false;
  bool away = false;
  while (true) {
    stream.connect();
    while (true) {
      auto event = stream.next(left());
      if (stream.status() == 200) {
        connected_before = true;
        if (std::exchange(away, false)) complain("the server is back");
      }
      if (event && !on_event(*event)) return {};
      if (!event && left().count() <= 0) return std::unexpected(kExitTimeout);
      if (!event && !stream.connected()) break;
    }
    // 503: the server is starting or stopping.
    const int status = stream.status();
    const rest::ApiError error = stream.error().value_or(rest::ApiError{.message = "the connection failed"});
    if (status == 204) return {};  // there is nothing more
    if (status != 0 && status != 200 && status != 503) return std::unexpected(report(error));
    if (!connected_before) return std::unexpected(report({.message = error.message}));
    if (!std::exchange(away, true))
      complain("the server went away; waiting for it (the run goes on where it was)");
    if (left().count() <= 0) return std::unexpected(kExitTimeout);
    std::this_thread::sleep_for(kReconnectPause);
  }
}

}  // namespace holdfast::app
