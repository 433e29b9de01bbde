#pragma once

// Client: one model endpoint. Always streams. Never retries (the durable activity does, with what Error
// says); a server that refused a request for how it was said is asked once more in its own dialect.
//
//   os::ThreadExecutor loop("http"); auto http = net::curl_http_client(loop, net::Egress::kAnywhere);
//   auto client = make_client(endpoint, *http, clock, secrets);
//   auto outcome = call(*client, request, [](const Delta& d) { ... });
//
// Thread-safe. API keys are read by reference (a name) at each call, and appear in no error and no log.

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/heartbeat.h"
#include "base/redaction.h"
#include "holdfast/seams.h"
#include "model/completion.h"
#include "model/error.h"
#include "model/provider.h"
#include "model/request.h"
#include "net/http_client.h"

namespace holdfast::model {

using Outcome = std::expected<Completion, Error>;

class Client {
 public:
  virtual ~Client() = default;
  // Callbacks run on the HTTP client's loop thread (`done` inline when the request cannot be made), in order,
  // and must not block; `done` exactly once, last.
  virtual void start(const Request& request, std::move_only_function<void(const Delta&)> on_delta,
                     std::move_only_function<void(Outcome)> done, std::stop_token stop = {}) = 0;
};

// Blocks, and beats meanwhile. `on_delta` runs on the loop thread.
Outcome call(Client& client, const Request& request,
             std::move_only_function<void(const Delta&)> on_delta = {}, std::stop_token stop = {},
             const Heartbeat& heartbeat = {});

// Name of a secret -> its value. PERMISSION_DENIED: it may not go to the endpoint; every other failure: it
// does not exist.
using Secrets = std::function<Result<std::string>(const std::string& name)>;

struct Endpoint {
  Endpoint() = default;
  const Provider* provider = nullptr;  // never null in what make_client() gets
  // Up to and without /chat/completions or /messages: "https://api.openai.com/v1",
  // "http://localhost:11434/v1". Empty: the provider's own.
  std::string base_url;
  std::string api_version;  // Azure's; empty: none is said
  std::string api_key;      // the name of a secret; empty: none is sent
  net::Headers headers;     // added to each request
  // Besides the key itself, what no error may tell. Null: nothing.
  std::shared_ptr<const Redaction> redaction;
  std::shared_ptr<const net::Reach> reach;
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds idle_timeout{60'000};  // no byte for so long
  std::chrono::milliseconds total_timeout{600'000};
  std::size_t max_response_bytes = 32 << 20;
};

// `http` and `clock` must outlive the client. The clock turns a retry-after date into a duration.
std::unique_ptr<Client> make_client(Endpoint endpoint, net::HttpClient& http, const Clock& clock,
                                    Secrets secrets);

}  // namespace holdfast::model
