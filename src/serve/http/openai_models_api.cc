// /v1/models: agents as OpenAI's clients list models. A label or a version of an agent is a model, too
// (docs/guide/openai-clients.md).

#include "http/api_context.h"
#include "http/openai_runs.h"
#include "protocol/flow_run.h"

namespace holdfast::http {

namespace {

// There are no pages in this protocol.
constexpr std::size_t kMaxModels = 10'000;

Json model_json(const std::string& id, const platform::Definition& definition, WallTime at) {
  return {{"id", id},
          {"object", "model"},
          {"created", openai::unix_seconds(at)},
          {"owned_by", "holdfast"},
          {"holdfast", {{"agent", definition.name}, {"version", definition.hash}}}};
}

// The agent as it is now, and what its labels name.
Status add_models(ApiContext& context, const platform::Definition& definition, Json& out) {
  out.push_back(model_json(definition.name, definition, definition.at));
  auto labels = context.store().labels(definition.name);
  if (!labels) return labels.error();
  for (const platform::Label& label : *labels) {
    platform::Definition named;
    named.name = definition.name;
    named.hash = label.hash;
    out.push_back(model_json(definition.name + "@" + label.label, named, label.at));
  }
  return {};
}

Response list_models(ApiContext& context, Request&) {
  Json models = Json::array();
  std::string after;
  while (models.size() < kMaxModels) {
    auto page = context.store().definitions(after);
    if (!page) return Problem::from(page.error()).response();
    if (page->empty()) break;
    for (const platform::Definition& definition : *page) {
      if (protocol::is_flow(definition.name)) continue;
      if (Status added = add_models(context, definition, models); !added.ok())
        return Problem::from(added).response();
    }
    after = page->back().name;
  }
  const bool more = models.size() >= kMaxModels;
  return json_response({{"object", "list"}, {"data", std::move(models)}, {"has_more", more}});
}

Response show_model(ApiContext& context, Request& request) {
  const std::string id(request.param("id"));
  auto found = model_named(context, id);
  if (!found) return found.error().response();
  return json_response(model_json(id, *found, found->at));
}

}  // namespace

void add_openai_model_routes(Router& router, ApiContext& context) {
  router.add("GET", "/v1/models", Permission::kRead, context.answering(list_models));
  router.add("GET", "/v1/models/{id}", Permission::kRead, context.answering(show_model));
}

}  // namespace holdfast::http
