#pragma once

// What the routes under /v1 share: a request becomes a run, a run is told as a response. Internal to the
// module.

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/api_context.h"
#include "openai/request.h"
#include "openai/response_json.h"
#include "openai/run_fold.h"
#include "platform/records.h"

namespace holdfast::http {

// "refund", "refund@production", "refund@5f3c9a": 404 model_not_found says what is not there.
std::expected<platform::Definition, Problem> model_named(ApiContext& context, const std::string& model);

struct AskedRun {
  platform::RunRecord run;
  std::shared_ptr<runs::Telling> telling;  // of one that is not kept; null: it is
};
// The run that the request is, started or there already by its Idempotency-Key. Durable.
std::expected<AskedRun, Problem> start_asked(ApiContext& context, const Request& request,
                                             openai::Asked asked);

// The run of a response's id; one whose history was deleted is not found, nor one that is not kept and over.
std::expected<platform::RunRecord, Problem> run_of_response(ApiContext& context, std::string_view id);
std::expected<openai::ResponseHead, Problem> head_of(ApiContext& context, const platform::RunRecord& run);
// All of its log, as it is now; 499, which nobody reads, once the client has gone.
std::expected<openai::RunFold, Problem> fold_of(ApiContext& context, const std::string& run,
                                                const ApiContext::Gone& gone);

// ---- what a response was asked: the turns of a history that came with the request, and the present one,
// last

std::string input_item_id(const openai::ResponseHead& head, std::size_t at);
// One of 0 to head.history; none: no such id.
std::optional<std::size_t> place_of_input(const openai::ResponseHead& head, std::string_view id);
// `count` of them, from the one at `first` on, in their order.
std::expected<std::vector<Json>, Problem> input_of(ApiContext& context, const platform::RunRecord& run,
                                                   const openai::ResponseHead& head, std::size_t first,
                                                   std::size_t count);

// Puts the items that `input` of a request names by their ids in their places; 404 names one that is not
// there.
std::optional<Problem> put_references(ApiContext& context, Json& body, const ApiContext::Gone& gone);

// Of a run: a client that asks again on its own would start another one.
Response of_run(Response response, const std::string& run);

}  // namespace holdfast::http
