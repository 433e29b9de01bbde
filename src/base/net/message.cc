#include "net/message.h"

#include "base/url.h"
#include "net/problem.h"

namespace holdfast::net {

namespace {

std::string_view find(const std::vector<Header>& list, std::string_view name) {
  for (const Header& entry : list) {
    if (entry.name == name) return entry.value;
  }
  return {};
}

}  // namespace

std::string_view Request::header(std::string_view name) const {
  return find(headers, name);
}
std::string_view Request::param(std::string_view name) const {
  return find(params, name);
}

std::optional<std::string_view> Request::query_value(std::string_view name) const {
  for (const Header& entry : query) {
    if (entry.name == name) return entry.value;
  }
  return std::nullopt;
}

Responder::~Responder() {
  if (writer_) {
    writer_->reply(Problem(500, "internal", "the request was dropped without an answer").response());
  }
}

void Responder::reply(Response response) {
  if (auto writer = std::move(writer_)) writer->reply(std::move(response));
}

std::shared_ptr<Stream> Responder::stream(Response head, Executor& executor, Stream::Source source) {
  auto writer = std::move(writer_);
  return writer ? writer->stream(std::move(head), executor, std::move(source)) : nullptr;
}

void Responder::drop() {
  if (auto writer = std::move(writer_)) writer->drop();
}

std::vector<Header> parse_query(std::string_view query) {
  std::vector<Header> pairs;
  while (!query.empty()) {
    std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), part.size() + 1));
    if (part.empty()) continue;
    std::size_t equals = part.find('=');
    std::string_view name = part.substr(0, equals);
    std::string_view value = equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    pairs.push_back({percent_decode(name, true).value_or(std::string(name)),
                     percent_decode(value, true).value_or(std::string(value))});
  }
  return pairs;
}

}  // namespace holdfast::net
