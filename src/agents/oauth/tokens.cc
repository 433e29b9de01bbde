#include "oauth/tokens.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/redaction.h"
#include "base/sha256.h"
#include "base/text.h"
#include "base/url.h"
#include "net/fetch.h"

namespace holdfast::oauth {

namespace {

using agent::AuthSpec;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kLifeWhenUntold{300};
constexpr seconds kLongestLife{24 * 3600};
// Shortly before: what is under way when it expires was sent with it.
constexpr seconds kMargin{60};

// RFC 6750: what may stand behind `Bearer`.
bool is_token(const std::string& text) {
  return !text.empty() && text.size() <= kMaxTokenBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

std::string text_member(const nlohmann::json& json, const char* name) {
  const auto member = json.find(name);
  return member != json.end() && member->is_string() ? member->get<std::string>() : "";
}

// Seconds, as a number or, of some servers, as text.
seconds life_of(const nlohmann::json& json) {
  const auto member = json.find("expires_in");
  double life = static_cast<double>(kLifeWhenUntold.count());
  if (member != json.end() && member->is_number()) life = member->get<double>();
  if (member != json.end() && member->is_string())
    life = std::strtod(member->get<std::string>().c_str(), nullptr);
  if (!(life >= 0)) life = 0;
  return seconds(static_cast<std::int64_t>(std::min(life, static_cast<double>(kLongestLife.count()))));
}

}  // namespace

struct Tokens::Credentials {
  std::string id;
  std::string secret;
  std::string refresh_token;
};

struct Tokens::Granted {
  std::string token;
  std::string refresh_token;
  seconds life{0};
};

Result<Tokens::Credentials> Tokens::credentials(const AuthSpec& auth, const TokenCall& call) const {
  Credentials out;
  const std::pair<const std::string&, std::string&> all[] = {{auth.client_id_env, out.id},
                                                             {auth.client_secret_env, out.secret},
                                                             {auth.refresh_token_env, out.refresh_token}};
  for (auto& [name, value] : all) {
    if (name.empty()) continue;
    auto got = call.permits->variable(name, auth.token_url);
    if (!got) return fail(got.error());
    value = *std::move(got);
  }
  return out;
}

Result<Tokens::Granted> Tokens::ask(const AuthSpec& auth, const Credentials& client,
                                    const std::string& refresh_token, const TokenCall& call) const {
  net::HttpRequest request;
  request.method = "POST";
  request.url = auth.token_url;
  request.reach = call.permits->reach();
  request.total_timeout = call.timeout;
  request.max_response_bytes = kMaxAnswerBytes;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  const bool refreshes = auth.type == AuthSpec::Type::kRefreshToken;
  add_field(request.body, "grant_type", refreshes ? "refresh_token" : "client_credentials");
  if (refreshes) add_field(request.body, "refresh_token", refresh_token);
  std::string scopes;
  for (const std::string& scope : auth.scopes) scopes += (scopes.empty() ? "" : " ") + scope;
  if (!scopes.empty()) add_field(request.body, "scope", scopes);
  for (const auto& [name, value] : auth.parameters) add_field(request.body, name, value);
  if (client.secret.empty() || auth.secret_in_body) {
    add_field(request.body, "client_id", client.id);
    if (!client.secret.empty()) add_field(request.body, "client_secret", client.secret);
  } else {
    request.headers.emplace_back("Authorization", "Basic " + padded_base64(percent_encode(client.id) + ":" +
                                                                           percent_encode(client.secret)));
  }
  auto answer = net::fetch(*call.http, std::move(request), call.stop, call.heartbeat);
  const net::HttpResponse& received = answer ? *answer : answer.error().received;
  const int status = received.head.status;
  if (!answer && status == 0) {
    const bool refused = answer.error().failure == net::HttpFailure::kRefused;
    return fail(refused ? Code::kPermissionDenied : Code::kUnavailable,
                fmt::format("no token from {}: {}", auth.token_url, answer.error().message));
  }
  const auto json = parse_json(received.body);
  if (status < 200 || status >= 300 || !answer || !json.is_object()) {
    // The code of RFC 6749, section 5.2, and nothing else of what the server says.
    std::string code = json.is_object() ? text_member(json, "error") : "";
    code = std::string(cut_text(to_utf8(code), 100));
    const bool passing = status == 408 || status == 429 || status >= 500;
    return fail(passing ? Code::kUnavailable : Code::kUnauthenticated,
                fmt::format("no token from {}: it answered {}{}{}", auth.token_url, status,
                            code.empty() ? "" : " ", code));
  }
  Granted out;
  out.token = text_member(json, "access_token");
  out.refresh_token = text_member(json, "refresh_token");
  out.life = life_of(json);
  std::string type = text_member(json, "token_type");
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (!is_token(out.token) || (!type.empty() && type != "bearer")) {
    return fail(Code::kUnauthenticated,
                fmt::format("no token from {}: its answer holds no bearer token", auth.token_url));
  }
  return out;
}

void Tokens::make_room() {
  while (entries_.size() >= kMaxTokens) {
    auto oldest = entries_.end();
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      if (!it->second.asking && (oldest == entries_.end() || it->second.used < oldest->second.used))
        oldest = it;
    }
    if (oldest == entries_.end()) return;
    entries_.erase(oldest);
  }
}

Result<std::string> Tokens::get(const AuthSpec& auth, const TokenCall& call) {
  auto client = credentials(auth, call);
  if (!client) return fail(client.error());
  // A credential that was changed is another client.
  const std::string key = sha256_hex(
      dump_json(nlohmann::json{agent::auth_json(auth), client->id, client->secret, client->refresh_token}));
  std::unique_lock lock(mutex_);
  const MonotonicTime deadline = clock_.monotonic() + call.timeout;
  while (true) {
    const MonotonicTime now = clock_.monotonic();
    auto found = entries_.find(key);
    if (found == entries_.end()) {
      make_room();
      found = entries_.try_emplace(key).first;
    }
    found->second.used = now;
    if (!found->second.token.empty() && now < found->second.until) return found->second.token;
    if (!found->second.asking) break;
    if (now >= deadline || call.stop.stop_requested())
      return fail(Code::kUnavailable,
                  fmt::format("no token from {}: another call still asks", auth.token_url));
    answered_.wait_for(lock, milliseconds(200));
    if (!call.heartbeat.beat) continue;
    lock.unlock();
    call.heartbeat.beat();
    lock.lock();
  }
  Entry& entry = entries_.at(key);
  entry.asking = true;  // so nobody takes the entry away
  const std::string refresh = entry.refresh_token.empty() ? client->refresh_token : entry.refresh_token;
  lock.unlock();
  std::optional<Result<Granted>> granted;
  try {
    granted.emplace(ask(auth, *client, refresh, call));
  } catch (...) {  // a heartbeat that throws ends the call
    lock.lock();
    entry.asking = false;
    answered_.notify_all();
    throw;
  }
  lock.lock();
  entry.asking = false;
  answered_.notify_all();
  if (!*granted) {
    entry.refresh_token.clear();
    return fail(granted->error());
  }
  entry.before = std::exchange(entry.token, (*granted)->token);
  if (!(*granted)->refresh_token.empty()) entry.refresh_token = (*granted)->refresh_token;
  const seconds life = (*granted)->life;
  entry.until = clock_.monotonic() + (life - std::min<seconds>(kMargin, life / 5));
  return entry.token;
}

void Tokens::refused(const std::string& token) {
  std::lock_guard lock(mutex_);
  for (auto& [unused, entry] : entries_) {
    if (entry.token == token) entry.until = MonotonicTime{};
  }
}

std::string Tokens::redact(std::string text) const {
  std::vector<Redaction::Secret> secrets;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [unused, entry] : entries_) {
      for (const std::string& value : {entry.token, entry.before, entry.refresh_token}) {
        if (!value.empty()) secrets.emplace_back("OAuth token", value);
      }
    }
  }
  return secrets.empty() ? text : Redaction(secrets).apply(std::move(text));
}

}  // namespace holdfast::oauth
