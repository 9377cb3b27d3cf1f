using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Spotter.Attack;

/// <summary>Requests that name files, say too much, or say what no text should hold.</summary>
public sealed partial class RequestTests(OpenService service) : IClassFixture<OpenService>
{
    private const int Limit = 20 * 1024 * 1024;
    private const string Canary = "canary-of-the-data-folder-4711";

    private SpotterApi Api => service.Api;

    [Fact]
    public async Task No_path_leads_to_a_file()
    {
        var row = new AttackRow("R32", "`../`, %2e%2e and NUL wherever a call takes a name", "paths");
        await File.WriteAllTextAsync(Path.Combine(service.Data, "canary.txt"), Canary);
        var id = SpotterApi.IdOf(await Api.RunAsync(Pictures.Png(130)));
        string[] steps = ["../", "..%2f", "%2e%2e/", "%2e%2e%2f", "%2E%2E%2F", "..%5c", "..\\", "%252e%252e%252f", "%c0%ae%c0%ae/", "%e0%80%ae%e0%80%ae/", "....//", "..;/", "%uff0e%uff0e/", "..%00/", "%00../", ".%2e/", "//", "%2f"];
        string[] ends = ["etc/passwd", "etc%2fpasswd", "canary.txt", "spotter.db", "etc%2fpasswd%00.jpg"];
        string[] places = ["/", "/assets/", "/v1/", "/v1/jobs/", $"/v1/jobs/{id}/", $"/v1/jobs/{id}/outputs/", "/v1/samples/", "/v1/workers/", "/openapi/"];
        var paths =
            from place in places
            from step in steps
            from end in ends
            from times in (int[])[1, 8]
            select place + string.Concat(Enumerable.Repeat(step, times)) + end;
        string[] others = ["/v1/jobs/%00", $"/v1/jobs/{id}%00", $"/v1/jobs/{id}%00/original", $"/v1/jobs/{id}/outputs/%00", "/%00", "/v1/samples/file:%2f%2f%2fetc%2fpasswd", "/C:%5cWindows%5cwin.ini", $"/v1/jobs?after={id}%00", "/v1/jobs?after=..%2f..%2fetc%2fpasswd", "/v1/jobs?after=%00"];
        await Parallel.ForEachAsync(paths.Concat(others), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (path, _) =>
        {
            foreach (var method in (string[])["GET", "DELETE"])
            {
                var answer = await RawRequest.SendAsync(service.Process.Address, $"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
                var isRefused = StatusOf(answer) is 400 or 404 or 405 || (StatusOf(answer) == 401 && path.StartsWith("/v1/workers", StringComparison.Ordinal));
                row.Try(isRefused && !answer.Contains(Canary, StringComparison.Ordinal) && !answer.Contains("root:", StringComparison.Ordinal) && !answer.Contains("SQLite format", StringComparison.Ordinal), $"{method} {path}: {answer}");
            }
        });
        foreach (var name in (string[])["../../x.png", "..\\x.png", "/etc/passwd", "a\0b.png", "%2e%2e%2fx.png", "in/00/x.png", "\u202Egnp.x", ".", "..", new string('n', 3000)])
        {
            var job = await SendAsync("multipart/form-data; boundary=b", Form([], Encoding.UTF8.GetBytes(name)), chunked: false);
            row.Try((int)job.Status is 202 or 400, $"a picture called {name}: {job}");
        }
        foreach (var key in (string[])["a\0b", "../../x\0"])
        {
            var answer = await RawRequest.SendAsync(service.Process.Address, $"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: image/png\r\nIdempotency-Key: {key}\r\nContent-Length: 0\r\n\r\n");
            row.Try(StatusOf(answer) == 400, $"the key {key}: {answer}");
        }
        // Names of files are the server's own, whatever a picture was called.
        foreach (var file in service.Blobs().Select(file => Path.GetRelativePath(Path.Combine(service.Data, "blobs"), file)))
            row.Try(ServersOwn().IsMatch(file), $"a file is called {file}");
        row.End(atLeast: 2_500);
    }

    [Fact]
    public async Task No_more_comes_in_than_is_taken_however_it_is_sent()
    {
        var row = new AttackRow("R33", "a byte more than 20 MiB, and thousands of parts", "requests");
        await Api.RunAsync(Pictures.Png(132));
        var before = service.Blobs();
        byte[] picture = [.. Pictures.Png(133), .. new byte[Limit + 1 - Pictures.Png(133).Length]];
        var base64 = Encoding.ASCII.GetBytes($$"""{"image":"{{Convert.ToBase64String(picture)}}"}""");
        byte[] part = [.. "--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"x.png\"\r\n\r\n"u8, .. picture, .. "\r\n--b--\r\n"u8];
        foreach (var (type, body) in ((string, byte[])[])[("image/png", picture), ("application/octet-stream", picture), ("multipart/form-data; boundary=b", part), ("application/json", base64)])
        {
            foreach (var chunked in (bool[])[true, false])
                row.Try(Is(await SendAsync(type, body, chunked), 413, "body_too_large"), $"{type}, {(chunked ? "chunked" : "with its length")}");
        }
        row.Try((int)(await Api.SubmitAsync(Enumerable.Range(0, 1000).Select(_ => Part.Image(Pictures.Png(5))))).Status == 400, "1,000 pictures");
        row.Try((int)(await Api.SubmitAsync([Part.Image(Pictures.Png(5)), .. Enumerable.Range(0, 1000).Select(_ => Part.Field("labels", "square"))])).Status == 400, "1,000 fields");
        row.Try((int)(await Api.SubmitAsync([.. Enumerable.Range(0, 1000).Select(i => Part.Field($"f{i}", "x")), Part.Image(Pictures.Png(5))])).Status == 400, "1,000 unknown fields");
        row.Try((int)(await SendAsync("multipart/form-data; boundary=b", Form(Enumerable.Repeat(("", "x"u8.ToArray()), 1000), "x.png"u8.ToArray()), chunked: true)).Status == 400, "1,000 parts without a name");
        var query = string.Concat(Enumerable.Range(0, 500).Select(i => $"&f{i}=1"));
        row.Try((int)(await Api.SubmitBodyAsync(new ByteArrayContent(Pictures.Png(5)), "?x=1" + query)).Status is 400 or 414, "500 fields in the query");
        var headers = string.Concat(Enumerable.Range(0, 1000).Select(i => $"X{i}: x\r\n"));
        foreach (var endless in (string[])[headers, $"X: {new string('x', 100_000)}\r\n"])
        {
            var body = Encoding.ASCII.GetBytes($"--b\r\nContent-Disposition: form-data; name=\"image\"\r\n{endless}\r\nx\r\n--b--\r\n");
            row.Try((int)(await SendAsync("multipart/form-data; boundary=b", body, chunked: true)).Status == 400, "a part with endless headers");
            var raw = await RawRequest.SendAsync(service.Process.Address, $"GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{endless}\r\n");
            row.Try(StatusOf(raw) is 400 or 431, $"endless headers: {raw}");
        }
        // Nothing of what was refused is kept.
        await Eventually.SeeAsync("no file is left over", () => Task.FromResult(service.Blobs()), left => left.SequenceEqual(before, StringComparer.Ordinal));
        var taken = new byte[Limit];
        Pictures.Png(134).CopyTo(taken, 0);
        row.Try((int)(await SendAsync("image/png", taken, chunked: true)).Status == 202, "20 MiB to the byte are not taken either");
        row.End(atLeast: 18);
    }

    [Fact]
    public async Task No_text_that_a_client_sends_breaks_an_answer_or_the_log()
    {
        var row = new AttackRow("R36", "100 KB, bidi, NUL, escapes, half a surrogate in every field", "texts");
        byte[][] texts =
        [
            Encoding.ASCII.GetBytes(new string('x', 100 * 1024)), "a\u202Eb\u2066c\u200F"u8.ToArray(), "a\0b"u8.ToArray(), "a\u001b[2J\u001b]8;;http://x\u0007b"u8.ToArray(), [0x61, 0xC2, 0x9B, 0x33, 0x31, 0x6D],
            [0x61, 0xED, 0xA0, 0x80, 0x62], [0x61, 0xFF, 0xFE, 0x62], "</script><script>alert(1)</script>"u8.ToArray(), "a\r\nX-Evil: 1\r\n\r\nb"u8.ToArray(), "{{7*7}}${7*7}%s%n"u8.ToArray(), "' OR 1=1 --"u8.ToArray(), Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("e\u0301\u0302", 600))),
        ];
        var fields = await FieldsAsync();
        fields.Count.ShouldBeGreaterThan(20);
        foreach (var field in fields.Append("no\u202Esuch").Append("image"))
        {
            for (var text = 0; text < texts.Length; text++)
            {
                // Behind the picture: the file name of one is text too.
                var form = field == "image" ? Form([], texts[text]) : Form([(field, texts[text])], "x.png"u8.ToArray());
                await TryAsync($"{field}, text {text}, form", SendAsync("multipart/form-data; boundary=b", form, chunked: false));
                if (texts[text].Length > 20_000)
                    continue;
                var address = string.Concat(texts[text].Select(b => $"%{b:X2}"));
                await TryAsync($"{field}, text {text}, query", SendAsync("image/png", Pictures.Png(135), chunked: false, $"&{Uri.EscapeDataString(field)}={address}"));
            }
            foreach (var json in (string[])["\"a\\ud800b\"", "\"\\udc00\"", "\"a\\u0000b\"", "\"a\\u202eb\\u001b[2J\"", $"\"{new string('x', 60_000)}\"", "null", "{}", "[[[[[]]]]]", "1e999", "true"])
                await TryAsync($"{field}, {json[..Math.Min(json.Length, 30)]}", SendAsync("application/json", Encoding.UTF8.GetBytes($$"""{"image":"{{Convert.ToBase64String(Pictures.Png(136))}}",{{JsonSerializer.Serialize(field)}}:{{json}}}"""), chunked: false));
        }
        var longName = JsonSerializer.Serialize(new Dictionary<string, string>(StringComparer.Ordinal) { [new string('n', 60_000)] = "x", ["image"] = Convert.ToBase64String(Pictures.Png(136)) });
        await TryAsync("a field's long name", SendAsync("application/json", Encoding.UTF8.GetBytes(longName), chunked: false));
        await TryAsync("a field's long name in the address", SendAsync("image/png", Pictures.Png(136), chunked: false, $"&{new string('n', 8_000)}=x"));
        foreach (var text in (string[])["a%00b", "%ED%A0%80", "%E2%80%AE", "%1b%5b2J", new('x', 8000)])
        {
            foreach (var call in (string[])["/v1/jobs?state=", "/v1/jobs?engine=", "/v1/jobs?limit=", "/v1/jobs?after=", "/v1/dead?error=", "/v1/dead?engine=", "/v1/scaling/series?seconds=", "/v1/jobs/", "/v1/samples/"])
                await TryAsync(call + text, Api.GetAsync(call + text));
        }
        foreach (var body in (string[])["""{"ids":["\ud800"]}""", """{"ids":["a\u0000"]}""", """{"ids":[null]}""", """{"error":"\u202e\u001b[2J"}""", """{"error":"\ud800"}"""])
            await TryAsync("redrive " + body, Api.SendAsync(KeyedService.Request("POST", "/v1/dead/redrive", shown: null, body)));
        foreach (var body in (string[])["{}", "null", """{"format":"csv","jobs":[null]}""", """{"format":null,"jobs":[]}""", """{"format":"csv","jobs":["\ud800"]}""", """{"format":"\u202e\u001b[2J","jobs":["a"]}"""])
            await TryAsync("export " + body, Api.SendAsync(KeyedService.Request("POST", "/v1/results", shown: null, body)));
        // What was taken is shown again in lists and lines.
        foreach (var job in await Api.ListAsync(limit: 500))
        {
            row.Try(LongestText(job) <= 1024, "a text of more than 1,024 characters was stored");
            await TryAsync("output", Api.GetAsync($"/v1/jobs/{SpotterApi.IdOf(job)}/output"));
        }
        await TryAsync("list", Api.GetAsync("/v1/jobs?limit=500"));
        row.Try(!service.Process.Log.Any(IsCommand), "the log commands the terminal");
        row.End(atLeast: 800);

        async Task TryAsync(string what, Task<Answer> asked)
        {
            var answer = await asked;
            var isText = TryDecode(answer.Bytes, out var text);
            row.Try((int)answer.Status is >= 200 and < 500 && isText && !text.Any(IsCommand) && !answer.Headers.Contains("X-Evil") && (answer.Bytes.Length < 16_000 || what == "list"), $"{what}: {(int)answer.Status}, {answer.Bytes.Length} bytes, {(text.Length > 400 ? text[..400] : text)}");
        }
    }

    [Fact]
    public async Task A_word_of_a_list_is_one_word()
    {
        var row = new AttackRow("A22", "several words, and numbers, where one word is asked for", "requests");
        await Api.RunAsync(Pictures.Png(137));
        foreach (var state in (string[])["queued,succeeded", "succeeded,", ",succeeded", "succeeded, failed", "0", "2", "-1", "+2", "255", "2147483648", " succeeded", "succeeded ", "succeeded%00", "", "all", "succeeded|failed"])
        {
            var answer = await Api.GetAsync("/v1/jobs?state=" + Uri.EscapeDataString(state).Replace("%2500", "%00", StringComparison.Ordinal));
            row.Try(answer.Status == HttpStatusCode.BadRequest, $"state={state}: {answer}");
        }
        foreach (var (with, field, one, other) in ((string, string, string, string)[])
            [("", "priority", "high", "low"), ("", "filter", "blur", "rotate"), ("rotate", "mode", "colour", "grey"), ("rotate", "direction", "clockwise", "anti-clockwise"), ("concat", "direction", "horizontal", "vertical"), ("concat", "sides", "left-to-right", "right-to-left"), ("", "engine", "detect", "filter"), ("", "reuse", "true", "false"), ("concat", "strict", "true", "false")])
        {
            string[] values = [$"{one},{other}", $"{one},", $"{one} {other}", $"{one}|{other}", $",{one}", $"{one}\0", "2", "-1"];
            foreach (var value in values)
            {
                Part[] filter = with.Length > 0 ? [Part.Field("filter", with)] : [];
                var answer = await Api.SubmitAsync([.. filter, Part.Field(field, value), Part.Image(Pictures.Png(138)), Part.Image(Pictures.Png(137))]);
                row.Try((int)answer.Status is 400 or 422, $"{with} {field}={value}: {answer}");
            }
        }
        row.End(atLeast: 60);
    }

    /// <summary>The fields of a submission, as the service itself describes them.</summary>
    private async Task<List<string>> FieldsAsync()
    {
        var content = (await Api.GetAsync("/openapi/v1.json")).Json.GetProperty("paths").GetProperty("/v1/jobs").GetProperty("post").GetProperty("requestBody").GetProperty("content");
        return [.. content.GetProperty("multipart/form-data").GetProperty("schema").GetProperty("properties").EnumerateObject().Select(p => p.Name).Where(name => name is not ("image" or "file"))];
    }

    private Task<Answer> SendAsync(string type, byte[] body, bool chunked, string query = "")
    {
        var content = new StreamContent(new MemoryStream(body));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        content.Headers.ContentLength = chunked ? null : body.Length;
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/jobs?reuse=false" + query) { Content = content };
        request.Headers.TransferEncodingChunked = chunked;
        return Api.SendAsync(request);
    }

    private static byte[] Form(IEnumerable<(string Name, byte[] Text)> fields, byte[] fileName)
    {
        using var form = new MemoryStream();
        foreach (var (name, text) in fields)
        {
            form.Write(Encoding.UTF8.GetBytes($"--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n"));
            form.Write(text);
            form.Write("\r\n"u8);
        }
        form.Write("--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\""u8);
        form.Write(fileName);
        form.Write("\"\r\n\r\n"u8);
        form.Write(Pictures.Png(139));
        form.Write("\r\n--b--\r\n"u8);
        return form.ToArray();
    }

    /// <summary>What commands a terminal or turns text around; lines and tabs are left to texts of several lines.</summary>
    internal static bool IsCommand(char c) =>
        (char.IsControl(c) && c is not ('\n' or '\r' or '\t')) || c is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069') or '\u200E' or '\u200F';

    private static bool TryDecode(byte[] bytes, out string text)
    {
        // Pictures are no text.
        if (bytes is [0x89, ..] or [0xFF, 0xD8, ..])
        {
            text = "";
            return true;
        }
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
            return true;
        }
        catch (DecoderFallbackException)
        {
            text = "";
            return false;
        }
    }

    private static int LongestText(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String => json.GetString()!.Length,
        JsonValueKind.Object => json.EnumerateObject().Select(p => Math.Max(p.Name.Length, LongestText(p.Value))).DefaultIfEmpty().Max(),
        JsonValueKind.Array => json.EnumerateArray().Select(LongestText).DefaultIfEmpty().Max(),
        _ => 0,
    };

    private static bool Is(Answer answer, int status, string code) => (int)answer.Status == status && answer.Json.GetProperty("code").GetString() == code;

    private static int StatusOf(string answer) => answer.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? RawRequest.Read(answer).Status : 0;

    [GeneratedRegex(@"\A(in|out)/[0-9a-z]{2}/[0-9a-z.-]+\z|\Atmp/[0-9a-z.-]+\z", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ServersOwn();
}
