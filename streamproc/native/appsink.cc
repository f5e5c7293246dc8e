// A small N-API binding to GStreamer: a pipeline written as text, fed through appsrc and read through appsink.
// Built by ./hypecast with plain g++ into .tools/native/; loaded by media workers alone (streamproc/src/media/appsink.ts), because a
// failed assertion in a decoder ends the process and no try/catch helps. docs/decisions/own-gstreamer-binding.md says why it is ours.
//
// What it holds to, each with a test in appsink.test.ts:
// - It keeps itself alive from play() until stop(): otherwise the garbage collector ends a pipeline that nobody references.
// - Each appsink has its own thread-safe function. One shared by several blocks for good when it is full (nodejs/node#58723).
// - The end of a sink travels through that sink's own function, so it cannot overtake the sink's last samples.
// - Rows are copied out tightly packed by the stride that the buffer itself declares; nothing of GStreamer's pool outlives a callback.
// - A sink may ask for pictures shrunk to a small RGB: the mean of each block of the decoder's own planes, converted once for each small
//   pixel. GStreamer's general scaler takes several times as long for that (docs/decisions/own-gstreamer-binding.md).
// - stop() aborts the functions before it takes the pipeline to NULL: a streaming thread that waits for room is let go first.
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/audio/audio.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <napi.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace {

// One sample, copied; or the end of its sink.
struct Sample {
  bool end = false;
  double pts_ns = -1;
  int width = 0, height = 0;
  int source_width = 0, source_height = 0;
  int rate = 0, channels = 0;
  std::vector<uint8_t> data;
};

struct Sink;
void CallSample(Napi::Env env, Napi::Function callback, Sink* sink, Sample* sample);
using SampleFunction = Napi::TypedThreadSafeFunction<Sink, Sample, CallSample>;

struct Error {
  std::string text;
};
void CallError(Napi::Env env, Napi::Function callback, void*, Error* error);
using ErrorFunction = Napi::TypedThreadSafeFunction<void, Error, CallError>;

// Size of the picture before scaling. Set by a caps event and read by samples of the same streaming thread.
struct SourceSize {
  std::atomic<int> width{0}, height{0};
};

struct Sink {
  uint32_t index = 0;
  SampleFunction function;
  std::atomic<bool> closed{false};
  const SourceSize* source = nullptr;
  // Above 0: I420 comes in, RGB of this size is handed on.
  int small_width = 0, small_height = 0;
};

// Lets a buffer through when at least `every_ns` have passed since the last one that it let through.
struct Gate {
  GstClockTime every_ns = 0;
  GstClockTime last = GST_CLOCK_TIME_NONE;
};

// With no environment the process is ending or the function was aborted: what was under way is only freed.
void CallSample(Napi::Env env, Napi::Function callback, Sink* sink, Sample* sample) {
  std::unique_ptr<Sample> owned(sample);
  if (env == nullptr || callback == nullptr) return;
  Napi::HandleScope scope(env);
  auto index = Napi::Number::New(env, sink->index);
  if (sample->end) {
    callback.Call({index, env.Null()});
    return;
  }
  auto object = Napi::Object::New(env);
  object.Set("ptsNs", Napi::Number::New(env, sample->pts_ns));
  object.Set("width", Napi::Number::New(env, sample->width));
  object.Set("height", Napi::Number::New(env, sample->height));
  object.Set("sourceWidth", Napi::Number::New(env, sample->source_width));
  object.Set("sourceHeight", Napi::Number::New(env, sample->source_height));
  object.Set("rate", Napi::Number::New(env, sample->rate));
  object.Set("channels", Napi::Number::New(env, sample->channels));
  object.Set("data", Napi::Buffer<uint8_t>::Copy(env, sample->data.data(), sample->data.size()));
  callback.Call({index, object});
}

void CallError(Napi::Env env, Napi::Function callback, void*, Error* error) {
  std::unique_ptr<Error> owned(error);
  if (env == nullptr || callback == nullptr) return;
  Napi::HandleScope scope(env);
  callback.Call({Napi::String::New(env, error->text)});
}

// Packed formats only (RGB, GRAY8): one plane, rows without padding.
bool CopyVideo(GstBuffer* buffer, const GstCaps* caps, Sample* sample) {
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps) || GST_VIDEO_INFO_N_PLANES(&info) != 1) return false;
  GstVideoFrame frame;
  // Takes stride and offset from the buffer's GstVideoMeta where there is one.
  if (!gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ)) return false;
  sample->width = GST_VIDEO_FRAME_WIDTH(&frame);
  sample->height = GST_VIDEO_FRAME_HEIGHT(&frame);
  const size_t row = size_t(sample->width) * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, 0);
  const size_t stride = GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0);
  const auto* from = static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0));
  sample->data.resize(row * size_t(sample->height));
  for (int y = 0; y < sample->height; y++)
    std::memcpy(sample->data.data() + row * size_t(y), from + stride * size_t(y), row);
  gst_video_frame_unmap(&frame);
  return true;
}

// Means of a plane's blocks, `width` × `height` of them, each pixel shared by area among the blocks that it lies in. Rows are summed
// first, whole, which the compiler does several pixels at a time.
void Means(const uint8_t* plane, int stride, int from_width, int from_height, int width, int height, std::vector<float>& out) {
  out.resize(size_t(width) * size_t(height));
  std::vector<float> sums(from_width);
  const float step_x = float(from_width) / width, step_y = float(from_height) / height, area = step_x * step_y;
  for (int j = 0; j < height; j++) {
    const float top = j * step_y, bottom = std::min(top + step_y, float(from_height));
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (int y = int(top); y < from_height && y < bottom; y++) {
      const float share = std::min(float(y + 1), bottom) - std::max(float(y), top);
      const uint8_t* row = plane + ptrdiff_t(stride) * y;
      float* to = sums.data();
      for (int x = 0; x < from_width; x++) to[x] += row[x] * share;
    }
    for (int i = 0; i < width; i++) {
      const float left = i * step_x, right = std::min(left + step_x, float(from_width));
      const int first = int(left), last = std::min(int(right), from_width - 1);
      float sum = sums[first] * (first >= last ? right - left : first + 1 - left);
      for (int x = first + 1; x < last; x++) sum += sums[x];
      if (first < last) sum += sums[last] * (right - last);
      out[size_t(j) * size_t(width) + size_t(i)] = sum / area;
    }
  }
}

uint8_t Byte(double value) { return value <= 0 ? 0 : value >= 255 ? 255 : uint8_t(value + 0.5); }

bool ShrinkVideo(GstBuffer* buffer, const GstCaps* caps, int width, int height, Sample* sample) {
  GstVideoInfo info;
  GstVideoFrame frame;
  if (!gst_video_info_from_caps(&info, caps) || GST_VIDEO_INFO_FORMAT(&info) != GST_VIDEO_FORMAT_I420) return false;
  if (!gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ)) return false;
  // ITU-R BT.601 unless the stream says otherwise.
  double kr = 0.299, kb = 0.114;
  if (info.colorimetry.matrix != GST_VIDEO_COLOR_MATRIX_UNKNOWN && info.colorimetry.matrix != GST_VIDEO_COLOR_MATRIX_RGB)
    gst_video_color_matrix_get_Kr_Kb(info.colorimetry.matrix, &kr, &kb);
  const bool full = info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
  const double luma_scale = full ? 1 : 255.0 / 219, luma_base = full ? 0 : 16, chroma_scale = full ? 2 : 2 * 255.0 / 224;
  sample->width = width;
  sample->height = height;
  sample->data.resize(size_t(width) * size_t(height) * 3);
  uint8_t* out = sample->data.data();
  std::vector<float> means[3];
  for (int c = 0; c < 3; c++)
    Means(static_cast<const uint8_t*>(GST_VIDEO_FRAME_COMP_DATA(&frame, c)), GST_VIDEO_FRAME_COMP_STRIDE(&frame, c),
          GST_VIDEO_FRAME_COMP_WIDTH(&frame, c), GST_VIDEO_FRAME_COMP_HEIGHT(&frame, c), width, height, means[c]);
  for (size_t i = 0; i < means[0].size(); i++) {
    const double y = (means[0][i] - luma_base) * luma_scale;
    const double r = y + (1 - kr) * chroma_scale * (means[2][i] - 128);
    const double b = y + (1 - kb) * chroma_scale * (means[1][i] - 128);
    *out++ = Byte(r);
    *out++ = Byte((y - kr * r - kb * b) / (1 - kr - kb));
    *out++ = Byte(b);
  }
  gst_video_frame_unmap(&frame);
  return true;
}

bool CopyAudio(GstBuffer* buffer, const GstCaps* caps, Sample* sample) {
  GstAudioInfo info;
  GstMapInfo map;
  if (!gst_audio_info_from_caps(&info, caps) || !gst_buffer_map(buffer, &map, GST_MAP_READ)) return false;
  sample->rate = GST_AUDIO_INFO_RATE(&info);
  sample->channels = GST_AUDIO_INFO_CHANNELS(&info);
  sample->data.assign(map.data, map.data + map.size);
  gst_buffer_unmap(buffer, &map);
  return true;
}

GstFlowReturn OnSample(GstAppSink* appsink, gpointer data) {
  auto* sink = static_cast<Sink*>(data);
  GstSample* pulled = gst_app_sink_pull_sample(appsink);
  if (pulled == nullptr) return GST_FLOW_EOS;
  auto sample = std::make_unique<Sample>();
  GstBuffer* buffer = gst_sample_get_buffer(pulled);
  GstCaps* caps = gst_sample_get_caps(pulled);
  bool copied = false;
  if (buffer != nullptr && caps != nullptr) {
    const bool video = gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw");
    if (!video) copied = CopyAudio(buffer, caps, sample.get());
    else if (sink->small_width == 0) copied = CopyVideo(buffer, caps, sample.get());
    else copied = ShrinkVideo(buffer, caps, sink->small_width, sink->small_height, sample.get());
    if (GST_BUFFER_PTS_IS_VALID(buffer)) sample->pts_ns = double(GST_BUFFER_PTS(buffer));
    sample->source_width = sink->source->width;
    sample->source_height = sink->source->height;
  }
  gst_sample_unref(pulled);
  if (!copied) return GST_FLOW_ERROR;
  if (sink->closed) return GST_FLOW_FLUSHING;
  // Waits while the function's queue is full: that is how a slow reader slows the decoder down.
  if (sink->function.BlockingCall(sample.get()) != napi_ok) {
    sink->closed = true;
    return GST_FLOW_FLUSHING;
  }
  (void)sample.release();
  return GST_FLOW_OK;
}

void OnEnd(GstAppSink*, gpointer data) {
  auto* sink = static_cast<Sink*>(data);
  if (sink->closed) return;
  auto sample = std::make_unique<Sample>();
  sample->end = true;
  if (sink->function.BlockingCall(sample.get()) == napi_ok) (void)sample.release();
  else sink->closed = true;
}

GstPadProbeReturn OnGate(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* gate = static_cast<Gate*>(data);
  const GstClockTime pts = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
  if (pts == GST_CLOCK_TIME_NONE) return GST_PAD_PROBE_DROP;
  if (gate->last != GST_CLOCK_TIME_NONE && pts < gate->last + gate->every_ns) return GST_PAD_PROBE_DROP;
  gate->last = pts;
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn OnSourceCaps(GstPad*, GstPadProbeInfo* info, gpointer data) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
    GstCaps* caps = nullptr;
    gst_event_parse_caps(event, &caps);
    const GstStructure* structure = gst_caps_get_structure(caps, 0);
    int width = 0, height = 0;
    gst_structure_get_int(structure, "width", &width);
    gst_structure_get_int(structure, "height", &height);
    auto* size = static_cast<SourceSize*>(data);
    size->width = width;
    size->height = height;
  }
  return GST_PAD_PROBE_OK;
}

class Pipeline : public Napi::ObjectWrap<Pipeline> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Pipeline",
                       {InstanceMethod("play", &Pipeline::Play), InstanceMethod("push", &Pipeline::Push),
                        InstanceMethod("end", &Pipeline::End), InstanceMethod("stop", &Pipeline::Stop)});
  }

  // new Pipeline(launch, { sinks: string[], queue, gate?: {element, everyNs}, small?: {sink, width, height}, sizeOf?: element }, onSample, onError)
  explicit Pipeline(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Pipeline>(info) {
    Napi::Env env = info.Env();
    const std::string launch = info[0].As<Napi::String>();
    auto options = info[1].As<Napi::Object>();
    GError* failure = nullptr;
    pipeline_ = gst_parse_launch_full(launch.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &failure);
    if (failure != nullptr || pipeline_ == nullptr || !GST_IS_PIPELINE(pipeline_)) {
      const std::string text = failure != nullptr ? failure->message : "not a pipeline of several elements";
      g_clear_error(&failure);
      if (pipeline_ != nullptr) gst_clear_object(&pipeline_);
      throw Napi::Error::New(env, text);
    }
    if (options.Get("sizeOf").IsString()) AddProbe(env, options.Get("sizeOf").ToString(), "src", GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, OnSourceCaps, &source_);
    if (options.Get("gate").IsObject()) {
      auto gate = options.Get("gate").As<Napi::Object>();
      gate_.every_ns = GstClockTime(gate.Get("everyNs").ToNumber().Int64Value());
      AddProbe(env, gate.Get("element").ToString(), "sink", GST_PAD_PROBE_TYPE_BUFFER, OnGate, &gate_);
    }
    const uint32_t queue = options.Get("queue").ToNumber().Uint32Value();
    auto names = options.Get("sinks").As<Napi::Array>();
    for (uint32_t i = 0; i < names.Length(); i++) {
      const std::string name = names.Get(i).ToString();
      GstElement* element = gst_bin_get_by_name(GST_BIN(pipeline_), name.c_str());
      if (element == nullptr || !GST_IS_APP_SINK(element)) {
        gst_clear_object(&element);
        Shutdown();
        throw Napi::Error::New(env, "no appsink named " + name);
      }
      auto sink = std::make_unique<Sink>();
      sink->index = i;
      sink->source = &source_;
      if (options.Get("small").IsObject()) {
        auto small = options.Get("small").As<Napi::Object>();
        if (small.Get("sink").ToString().Utf8Value() == name) {
          sink->small_width = small.Get("width").ToNumber().Int32Value();
          sink->small_height = small.Get("height").ToNumber().Int32Value();
        }
      }
      sink->function = SampleFunction::New(env, info[2].As<Napi::Function>(), "gst-sample", queue, 1, sink.get());
      GstAppSinkCallbacks callbacks = {};
      callbacks.new_sample = OnSample;
      callbacks.eos = OnEnd;
      gst_app_sink_set_callbacks(GST_APP_SINK(element), &callbacks, sink.get(), nullptr);
      gst_object_unref(element);
      sinks_.push_back(std::move(sink));
    }
    errors_ = ErrorFunction::New(env, info[3].As<Napi::Function>(), "gst-error", 0, 1);
    errors_open_ = true;
    GstBus* bus = gst_element_get_bus(pipeline_);
    gst_bus_set_sync_handler(bus, OnBus, this, nullptr);
    gst_object_unref(bus);
  }

  ~Pipeline() override { Shutdown(); }

 private:
  GstElement* pipeline_ = nullptr;
  std::vector<std::unique_ptr<Sink>> sinks_;
  ErrorFunction errors_;
  bool errors_open_ = false;
  SourceSize source_;
  Gate gate_;
  bool held_ = false;
  bool stopped_ = false;

  void AddProbe(Napi::Env env, const std::string& name, const char* pad_name, GstPadProbeType type, GstPadProbeCallback callback, gpointer data) {
    GstElement* element = gst_bin_get_by_name(GST_BIN(pipeline_), name.c_str());
    GstPad* pad = element == nullptr ? nullptr : gst_element_get_static_pad(element, pad_name);
    if (element != nullptr) gst_object_unref(element);
    if (pad == nullptr) {
      Shutdown();
      throw Napi::Error::New(env, "no element named " + name);
    }
    gst_pad_add_probe(pad, type, callback, data, nullptr);
    gst_object_unref(pad);
  }

  void Shutdown() {
    if (stopped_) return;
    stopped_ = true;
    for (auto& sink : sinks_) {
      sink->closed = true;
      sink->function.Abort();
    }
    if (pipeline_ != nullptr) {
      // Joins the streaming threads: afterwards nobody calls OnSample, OnEnd or OnBus any more.
      gst_element_set_state(pipeline_, GST_STATE_NULL);
      GstBus* bus = gst_element_get_bus(pipeline_);
      gst_bus_set_sync_handler(bus, nullptr, nullptr, nullptr);
      gst_object_unref(bus);
      gst_clear_object(&pipeline_);
    }
    if (errors_open_) errors_.Abort();
  }

  static GstBusSyncReply OnBus(GstBus*, GstMessage* message, gpointer data) {
    auto* self = static_cast<Pipeline*>(data);
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      GError* error = nullptr;
      gst_message_parse_error(message, &error, nullptr);
      auto told = std::make_unique<Error>();
      told->text = std::string(GST_MESSAGE_SRC_NAME(message)) + ": " + (error != nullptr ? error->message : "failed");
      g_clear_error(&error);
      if (self->errors_.NonBlockingCall(told.get()) == napi_ok) (void)told.release();
    }
    gst_message_unref(message);
    return GST_BUS_DROP;
  }

  GstElement* Source(const Napi::CallbackInfo& info) {
    if (pipeline_ == nullptr) return nullptr;
    const std::string name = info[0].As<Napi::String>();
    GstElement* element = gst_bin_get_by_name(GST_BIN(pipeline_), name.c_str());
    if (element != nullptr && GST_IS_APP_SRC(element)) return element;
    gst_clear_object(&element);
    throw Napi::Error::New(info.Env(), "no appsrc named " + name);
  }

  Napi::Value Play(const Napi::CallbackInfo& info) {
    if (pipeline_ == nullptr) throw Napi::Error::New(info.Env(), "stopped");
    if (!held_) Ref();
    held_ = true;
    return Napi::Boolean::New(info.Env(), gst_element_set_state(pipeline_, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE);
  }

  // push(source, data, ptsNs, dtsNs): the bytes are copied; −1: no timestamp.
  Napi::Value Push(const Napi::CallbackInfo& info) {
    GstElement* source = Source(info);
    if (source == nullptr) return Napi::Boolean::New(info.Env(), false);
    auto data = info[1].As<Napi::Uint8Array>();
    GstBuffer* buffer = gst_buffer_new_memdup(data.Data(), data.ByteLength());
    const double pts = info[2].ToNumber().DoubleValue(), dts = info[3].ToNumber().DoubleValue();
    GST_BUFFER_PTS(buffer) = pts >= 0 ? GstClockTime(pts) : GST_CLOCK_TIME_NONE;
    GST_BUFFER_DTS(buffer) = dts >= 0 ? GstClockTime(dts) : GST_CLOCK_TIME_NONE;
    const bool taken = gst_app_src_push_buffer(GST_APP_SRC(source), buffer) == GST_FLOW_OK;
    gst_object_unref(source);
    return Napi::Boolean::New(info.Env(), taken);
  }

  Napi::Value End(const Napi::CallbackInfo& info) {
    GstElement* source = Source(info);
    if (source == nullptr) return info.Env().Undefined();
    gst_app_src_end_of_stream(GST_APP_SRC(source));
    gst_object_unref(source);
    return info.Env().Undefined();
  }

  Napi::Value Stop(const Napi::CallbackInfo& info) {
    Shutdown();
    if (held_) Unref();
    held_ = false;
    return info.Env().Undefined();
  }
};

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  GError* error = nullptr;
  if (!gst_init_check(nullptr, nullptr, &error)) {
    const std::string text = error != nullptr ? error->message : "GStreamer does not start";
    g_clear_error(&error);
    throw Napi::Error::New(env, text);
  }
  exports.Set("Pipeline", Pipeline::Define(env));
  guint major = 0, minor = 0, micro = 0, nano = 0;
  gst_version(&major, &minor, &micro, &nano);
  exports.Set("version", Napi::String::New(env, std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(micro)));
  return exports;
}

}  // namespace

NODE_API_MODULE(appsink, Init)
