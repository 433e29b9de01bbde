#include "net/fetch.h"

namespace holdfast::net {

std::expected<HttpResponse, FetchError> fetch(HttpClient& client, HttpRequest request, std::stop_token stop,
                                              const Heartbeat& heartbeat) {
  struct State {
    HttpResponse response;  // the client's until `ended` is there
    std::promise<std::expected<void, HttpError>> ended;
  };
  auto state = std::make_shared<State>();  // callbacks may outlive a heartbeat that throws
  HttpHandler handler;
  handler.head = [state](const HttpHead& head) { state->response.head = head; };
  handler.body = [state](std::string_view bytes) { state->response.body += bytes; };
  handler.done = [state](std::expected<void, HttpError> outcome) {
    state->ended.set_value(std::move(outcome));
  };
  std::future<std::expected<void, HttpError>> ended = state->ended.get_future();
  client.start(std::move(request), std::move(handler), std::move(stop));
  std::expected<void, HttpError> outcome = await_result(std::move(ended), heartbeat);
  if (outcome) return std::move(state->response);
  FetchError error;
  static_cast<HttpError&>(error) = std::move(outcome.error());
  error.received = std::move(state->response);
  return std::unexpected(std::move(error));
}

}  // namespace holdfast::net
