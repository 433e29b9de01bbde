#include "refund/receiver.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

namespace holdfast::demo {

namespace {

net::Response plain(int status, std::string text) {
  net::Response response;
  response.status = status;
  response.content_type = "text/plain";
  response.body = std::move(text);
  return response;
}

}  // namespace

Result<std::unique_ptr<Receiver>> Receiver::start(std::uint16_t port) {
  std::unique_ptr<Receiver> receiver(new Receiver());
  net::ServerOptions options;
  options.address = fmt::format("127.0.0.1:{}", port);
  auto server =
      net::Server::start(options, [self = receiver.get()](net::Request request, net::Responder responder) {
        self->handle(std::move(request), std::move(responder));
      });
  if (!server) return fail(server.error());
  receiver->server_ = std::move(*server);
  return receiver;
}

void Receiver::handle(net::Request request, net::Responder responder) {
  constexpr std::string_view kPrefix = "/hooks/";
  if (request.method != "POST" || !request.path.starts_with(kPrefix))
    return responder.reply(plain(404, "no_service"));
  auto body = nlohmann::json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("text") || !body["text"].is_string()) {
    return responder.reply(plain(400, "invalid_payload"));
  }
  int number = 0;
  std::function<void(int)> answered;
  {
    std::lock_guard lock(mutex_);
    ++deliveries_;
    std::string key(request.header("idempotency-key"));
    auto known = std::find_if(messages_.begin(), messages_.end(),
                              [&](const Message& message) { return !key.empty() && message.key == key; });
    if (known == messages_.end()) {
      messages_.push_back({request.path.substr(kPrefix.size()), body["text"].get<std::string>(), key, 1});
      number = static_cast<int>(messages_.size());
      answered = on_answered_;
    } else {
      ++known->deliveries;
    }
  }
  responder.reply(plain(200, "ok"));
  if (answered) answered(number);
}

std::vector<Receiver::Message> Receiver::messages() const {
  std::lock_guard lock(mutex_);
  return messages_;
}

int Receiver::deliveries() const {
  std::lock_guard lock(mutex_);
  return deliveries_;
}

void Receiver::on_answered(std::function<void(int)> callback) {
  std::lock_guard lock(mutex_);
  on_answered_ = std::move(callback);
}

}  // namespace holdfast::demo
