// `type: human`: a person is asked, and the run waits for the answer, for years if it has to. Nothing runs
// meanwhile. What is asked and how the answer looks stands in the definition; the model fills in the rest.

#include <fmt/format.h>

#include <algorithm>

#include "agent/workflow_tool.h"
#include "base/json.h"
#include "base/text.h"
#include "protocol/human_question.h"
#include "spec/duration.h"
#include "spec/json_schema.h"
#include "spec/template.h"

namespace holdfast::agent {

namespace {

using namespace protocol;
using std::chrono::hours;
using std::chrono::milliseconds;

constexpr milliseconds kLongestDeadline = hours(24) * 3660;
constexpr std::size_t kMaxPeople = 50;
constexpr std::size_t kMaxPersonBytes = 200;

constexpr std::string_view kSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "question": {"type": "string", "description": "What is asked; {argument} is filled in. {question} by default."},
    "form": {"type": "object", "description": "JSON Schema of the answer, an object. One text, `answer`, by default."},
    "deadline": {"$ref": "#/$defs/duration", "description": "How long people have; 1d by default."},
    "people": {"type": "array", "items": {"type": "string"}, "description": "Who may answer. Whoever may decide when neither these nor `roles` are given."},
    "roles": {"type": "array", "items": {"enum": ["approver", "admin"]}, "description": "Or who has one of these roles."},
    "default": {"type": "object", "description": "The answer when nobody gave one; without it the model is told that nobody did."}
  }
})json";

struct HumanSettings : ToolSettings {
  HumanQuestion question;
};

Json parameters() {
  return {{"type", "object"},
          {"properties",
           {{"question",
             {{"type", "string"},
              {"minLength", 1},
              {"description", "What to ask, with all that the person needs to know to answer."}}}}},
          {"required", Json::array({"question"})}};
}

Json one_text() {
  return {{"type", "object"},
          {"properties", {{"answer", {{"type", "string"}, {"minLength", 1}, {"title", "Answer"}}}}},
          {"required", Json::array({"answer"})}};
}

std::vector<std::string> read_names(spec::MapReader& in, std::string_view key) {
  std::vector<std::string> out;
  for (const YAML::Node& node : in.list(key, kMaxPeople)) {
    const std::string name = node.IsScalar() ? node.Scalar() : std::string();
    if (name.empty() || name.size() > kMaxPersonBytes) {
      in.problem(key, fmt::format("is a list of names of 1 to {} bytes", kMaxPersonBytes));
    } else if (std::ranges::find(out, name) == out.end()) {
      out.push_back(name);
    }
  }
  return out;
}

// What a schema does not know: whoever takes the file enforces it.
Json without_file_words(Json form) {
  const auto properties = form.find("properties");
  if (properties == form.end() || !properties->is_object()) return form;
  for (auto& [name, property] : properties->items()) {
    if (!property.is_object() || property.value("format", Json()) != "file") continue;
    property.erase("accept");
    property.erase("maxBytes");
  }
  return form;
}

void read_form(spec::MapReader& in, HumanQuestion& out) {
  Json form = in.schema("form");
  if (form.is_null()) form = one_text();
  if (!form.is_object()) {
    in.problem("form", "must be a JSON Schema of the answer, a mapping with `type: object`");
    form = one_text();
  }
  form.emplace("type", "object");
  if (form["type"] != "object") in.problem("form", "the answer is an object: `type: object`");
  if (auto bad = spec::check_schema(without_file_words(form))) in.problem("form", *bad);
  if (const std::string bad = wrong_file_fields(form); !bad.empty()) in.problem("form", bad);
  // What the form does not ask for is refused, unless it says otherwise.
  const bool composed = std::ranges::any_of(
      std::initializer_list<const char*>{"$ref", "allOf", "anyOf", "oneOf", "unevaluatedProperties"},
      [&](const char* word) { return form.contains(word); });
  if (!composed) form.emplace("additionalProperties", false);
  if (dump_json(form).size() > kMaxFormBytes)
    in.problem("form", fmt::format("has more than {} bytes", kMaxFormBytes));
  out.form = std::move(form);
}

void read_default(spec::MapReader& in, HumanQuestion& out) {
  out.fallback = in.json("default");
  if (out.fallback.is_null()) return;
  if (dump_json(out.fallback).size() > kMaxAnswerBytes)
    in.problem("default", fmt::format("has more than {} bytes", kMaxAnswerBytes));
  if (auto bad = spec::validate(out.form, out.fallback))
    in.problem("default", "is no answer to the form: " + *bad);
}

void read_text(spec::MapReader& in, const ToolSpec& tool, HumanQuestion& out) {
  out.text = in.text("question", "{question}");
  if (out.text.empty() || out.text.size() > kMaxQuestionBytes)
    in.problem("question", fmt::format("has 1 to {} bytes", kMaxQuestionBytes));
  const auto properties = tool.parameters.find("properties");
  for (const std::string& name : spec::body_arguments(out.text)) {
    if (properties != tool.parameters.end() && properties->contains(name)) continue;
    in.problem("question", fmt::format("`{{{}}}` is no argument: declare it in `parameters`", name));
  }
}

void read(ToolReader& reader) {
  auto out = std::make_shared<HumanSettings>();
  spec::MapReader in = reader.in.map("human");
  HumanQuestion& question = out->question;
  read_text(in, reader.tool, question);
  read_form(in, question);
  read_default(in, question);
  question.deadline_ms = in.duration("deadline", hours(24), milliseconds(1), kLongestDeadline).count();
  question.people = read_names(in, "people");
  question.roles = read_names(in, "roles");
  for (const std::string& role : question.roles) {
    if (role != "approver" && role != "admin")
      in.problem("roles", fmt::format("`{}` may not decide; use approver or admin", bounded_text(role, 50)));
  }
  in.finish();
  if (reader.effect_given) reader.in.problem("effect", "asking changes nothing; remove `effect`");
  reader.tool.effect = Effect::kPure;
  reader.tool.settings = std::move(out);
}

Json canonical(const ToolSpec& tool) {
  const HumanQuestion& question = settings_of<HumanSettings>(tool).question;
  Json out = {{"question", question.text},
              {"form", question.form},
              {"deadline", spec::format_duration(milliseconds(question.deadline_ms))}};
  if (!question.people.empty()) out["people"] = question.people;
  if (!question.roles.empty()) out["roles"] = question.roles;
  if (!question.fallback.is_null()) out["default"] = question.fallback;
  return out;
}

std::optional<std::string> plan(const CallToPlan& call, PlannedCall& planned) {
  HumanQuestion question = settings_of<HumanSettings>(call.tool).question;
  const Json text = spec::fill_body(question.text, call.arguments);
  question.text = text.is_string() ? text.get<std::string>() : dump_json(text);
  if (question.text.empty() || question.text.size() > kMaxQuestionBytes)
    return fmt::format("the question has {} bytes; 1 to {} are allowed", question.text.size(),
                       kMaxQuestionBytes);
  planned.input = question;
  return std::nullopt;
}

Task<ToolAnswer> run(WorkflowCall call) {
  return call.ask(std::move(call.planned));
}

}  // namespace

constinit const WorkflowTool kHumanTool({.name = "human",
                                         .schema = kSchema,
                                         .has_attempts = false,
                                         .parameters = parameters,
                                         .read = read,
                                         .canonical = canonical,
                                         .needs = needs_nothing,
                                         .plan = plan},
                                        run, /*only_waits=*/true);

}  // namespace holdfast::agent
