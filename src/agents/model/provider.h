#pragma once

// Provider: one wire format of models, the product's word for it and where its own servers are. A provider is
// one constant in one file and one line below. The list is the only way to a provider: what is not there is
// an error, never somebody else's; a constant that is not listed is unused, which does not compile, and so
// does one without a part that every provider has.
//
// Constants and pure functions; any thread. client.cc joins them with HTTP.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "holdfast/status.h"
#include "model/decoder.h"
#include "model/error.h"
#include "model/request.h"
#include "net/http_client.h"

namespace holdfast::model {

// How one server speaks a format. A server says itself where it differs, by refusing a request.
struct Dialect {
  std::string base_url;
  bool other_limit = false;      // the limit on tokens goes by its other name
  bool open_reasoning = false;   // it gives what was thought in no form that could be given back
  bool unsigned_calls = false;   // it wants to be told that it did not make a call itself
  bool uncounted = false;        // it cannot be asked for the usage of a stream
  std::string api_version = {};  // Azure's; empty: none is said
  bool wants_thoughts = false;   // whatever a model said is to stand with what it thought
  bool no_empty = false;         // it takes no message of a model that says nothing
  bool plain = false;            // it takes nothing back that only it understands
  bool plain_once = false;       // the same of this one request: not learnt
};

struct Provider {
  std::string_view name;         // what `provider:` of agent.yaml says
  std::string_view default_url;  // when the endpoint names no base URL
  std::string_view path;         // behind the base URL

  // Where a request goes; null: to the path. Without the base URL and its query.
  std::string (*path_of)(const Request& request, const Dialect& dialect) = nullptr;
  // Of each request, besides those of JSON and event streams. `api_key` may be empty.
  net::Headers (*headers)(const std::string& api_key, const Dialect& dialect) = nullptr;
  // The body. INVALID_ARGUMENT: the request cannot be written.
  Result<std::string> (*encode)(const Request& request, const Dialect& dialect) = nullptr;
  // For the events of one stream.
  std::unique_ptr<Decoder> (*decoder)() = nullptr;
  // Servers of this format say `completed` of what they cut off at the limit of tokens, too (llama.cpp): an
  // answer that used all that it was allowed is not known to be whole.
  bool limit_may_be_unsaid = false;
  // What a response other than 200 means. `body` may be anything.
  Error (*classify_error)(const net::HttpHead& head, std::string_view body, WallTime now) = error_of_response;
  // How to say it to a server that refused a request for how it was said; none: that was not it. May be null.
  std::optional<Dialect> (*adapt)(const Dialect& dialect, const Error& refused) = nullptr;
};

// Evaluated by the compiler: a throw is a compile error that shows its text.
consteval Provider whole(Provider provider) {
  if (provider.name.empty()) throw "a provider needs a name";
  if (provider.default_url.empty()) throw "a provider needs a default URL";
  if (provider.path.empty()) throw "a provider needs a path";
  if (!provider.headers) throw "a provider needs a function that gives headers";
  if (!provider.encode) throw "a provider needs a function that encodes requests";
  if (!provider.decoder) throw "a provider needs a decoder of its streams";
  if (!provider.classify_error) throw "a provider needs a function that classifies errors";
  return provider;
}

// Who understands what is opaque in a message: a format, and the host that speaks it.
std::string origin_of(std::string_view provider, std::string_view base_url);
// Whose opaque parts a request holds; no message is of the origin that stands for nobody's.
std::string resent_origin(std::string_view provider, const Dialect& dialect);

// The providers, one line each.
#define HOLDFAST_MODEL_PROVIDERS(line) line(kOpenAi) line(kOpenaiResponses) line(kAnthropic) line(kGemini)

#define HOLDFAST_DECLARE_PROVIDER(provider) extern const Provider provider;
HOLDFAST_MODEL_PROVIDERS(HOLDFAST_DECLARE_PROVIDER)
#undef HOLDFAST_DECLARE_PROVIDER

using Providers = std::span<const Provider* const>;
Providers providers();

// NOT_FOUND names those that there are.
Result<const Provider*> find_provider(std::string_view name, Providers among = providers());

}  // namespace holdfast::model
