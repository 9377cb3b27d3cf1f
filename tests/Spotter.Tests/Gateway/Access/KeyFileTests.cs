using Microsoft.Extensions.Logging.Abstractions;
using Spotter.Core;
using Spotter.Gateway.Access;

namespace Spotter.Tests.Gateway.Access;

public sealed class KeyFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly ManualClock clock = new();
    private readonly KeyFile file;

    public KeyFileTests() => file = new KeyFile(Path.Combine(folder.Path, "data", "keys.json"));

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_key_is_known_by_its_hash_only_and_only_its_owner_reads_the_file()
    {
        file.Read().ShouldBeNull();
        var (kept, key) = New("web");
        await AddAsync(kept);

        key.ShouldStartWith("sk_");
        key.Length.ShouldBe(3 + 43, "256 bits");
        (await File.ReadAllTextAsync(file.Path)).ShouldNotContain(key[3..]);
        file.Read().ShouldBe([kept]);
        if (!OperatingSystem.IsWindows())
            File.GetUnixFileMode(file.Path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);

        var ring = Ring();
        ring.Find(key).ShouldBe(kept);
        ring.Find(key[..^1]).ShouldBeNull();
        ring.Find(kept.Hash).ShouldBeNull();
        ring.Find("").ShouldBeNull();
    }

    [Fact]
    public async Task Names_are_given_once_and_only_what_is_there_is_revoked()
    {
        await AddAsync(New("web").Kept);
        (await Should.ThrowAsync<SpotterException>(AddAsync(New("web").Kept))).Code.ShouldBe(ErrorCodes.AlreadyThere);
        (await Should.ThrowAsync<SpotterException>(file.RevokeAsync("other", TimeProvider.System, default))).Code.ShouldBe(ErrorCodes.NotFound);
        await file.RevokeAsync("web", TimeProvider.System, default);
        file.Read()!.ShouldBeEmpty();
    }

    [Fact]
    public async Task Many_at_once_lose_no_key()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => AddAsync(New($"k{i}").Kept))));
        file.Read()!.Select(k => k.Name).Order(StringComparer.Ordinal).ShouldBe(Enumerable.Range(0, 8).Select(i => $"k{i}"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"keys":null}""")]
    [InlineData("""{"keys":[null]}""")]
    [InlineData("""{"keys":[{"name":"a"}]}""")]
    [InlineData("""{"keys":[{"name":"a","tenant":"t","scopes":["all"],"hash":"H","created":"2026-01-01T00:00:00Z"}]}""")]
    [InlineData("""{"keys":[{"name":"a","tenant":"t","scopes":[],"hash":"H","created":"2026-01-01T00:00:00Z"}]}""")]
    [InlineData("""{"keys":[{"name":"a","tenant":"t","scopes":["read"],"hash":"short","created":"2026-01-01T00:00:00Z"}]}""")]
    [InlineData("""{"keys":[{"name":"a/b","tenant":"t","scopes":["read"],"hash":"H","created":"2026-01-01T00:00:00Z"}]}""")]
    [InlineData("""{"keys":[{"name":"a","tenant":"","scopes":["read"],"hash":"H","created":"2026-01-01T00:00:00Z"}]}""")]
    [InlineData("""{"keys":[{"name":"a","tenant":"t","scopes":["read"],"hash":"H","created":"2026-01-01T00:00:00Z"},{"name":"a","tenant":"t","scopes":["read"],"hash":"H","created":"2026-01-01T00:00:00Z"}]}""")]
    public void What_is_no_key_file_is_refused(string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file.Path)!);
        File.WriteAllText(file.Path, text.Replace("\"H\"", $"\"{new string('a', 64)}\"", StringComparison.Ordinal));
        Should.Throw<SpotterException>(file.Read).Code.ShouldBe(ErrorCodes.InvalidSettings);
        Should.Throw<SpotterException>(() => Ring()).Code.ShouldBe(ErrorCodes.InvalidSettings);
    }

    [Theory]
    [InlineData("", "t", KeyScopes.Read)]
    [InlineData("a b", "t", KeyScopes.Read)]
    [InlineData("a", "", KeyScopes.Read)]
    [InlineData("a", "**", KeyScopes.Read)]
    [InlineData("a", "t:u", KeyScopes.Read)]
    [InlineData("a", "t", KeyScopes.None)]
    public void What_can_not_be_a_key_is_not_made(string name, string tenant, KeyScopes scopes) =>
        Should.Throw<SpotterException>(() => ApiKey.Make(name, tenant, scopes, RandomSource.System, default)).Code.ShouldBe(ErrorCodes.InvalidRequest);

    [Fact]
    public async Task A_ring_follows_its_file_and_never_opens_again()
    {
        var ring = Ring();
        ring.Closed.ShouldBeFalse("there is no key");

        var (kept, key) = New("web");
        await AddAsync(kept);
        ring.Find(key).ShouldBeNull("it was looked at just now");
        clock.Advance(TimeSpan.FromSeconds(1));
        ring.Closed.ShouldBeTrue();
        ring.Find(key).ShouldBe(kept);

        // Broken: who was known stays known.
        var good = await File.ReadAllBytesAsync(file.Path);
        await File.WriteAllTextAsync(file.Path, "{");
        clock.Advance(TimeSpan.FromSeconds(1));
        ring.Find(key).ShouldBe(kept);
        await File.WriteAllBytesAsync(file.Path, good);

        await file.RevokeAsync("web", TimeProvider.System, default);
        clock.Advance(TimeSpan.FromSeconds(1));
        ring.Find(key).ShouldBeNull();
        ring.Closed.ShouldBeTrue("the last key was revoked");

        new KeyRing(file, required: false, clock, NullLogger<KeyRing>.Instance).Closed.ShouldBeTrue("a start opens nothing");

        File.Delete(file.Path);
        clock.Advance(TimeSpan.FromSeconds(1));
        ring.Closed.ShouldBeTrue("the file is gone");
    }

    [Fact]
    public async Task A_link_into_a_folder_that_is_swapped_is_followed()
    {
        if (OperatingSystem.IsWindows())
            return;
        var (first, firstKey) = New("first");
        var (second, secondKey) = New("second");
        foreach (var (name, key) in ((string, ApiKey)[])[("one", first), ("two", second)])
            await new KeyFile(Path.Combine(folder.Path, name, "keys.json")).AddAsync(key, TimeProvider.System, default);
        // The same length and, on a coarse clock, the same time: only the folder says that it is another file.
        File.SetLastWriteTimeUtc(Path.Combine(folder.Path, "two", "keys.json"), File.GetLastWriteTimeUtc(Path.Combine(folder.Path, "one", "keys.json")).AddSeconds(1));
        Directory.CreateSymbolicLink(Path.Combine(folder.Path, "now"), "one");
        var linked = Path.Combine(folder.Path, "keys.json");
        File.CreateSymbolicLink(linked, Path.Combine("now", "keys.json"));
        var ring = new KeyRing(new KeyFile(linked), required: true, clock, NullLogger<KeyRing>.Instance);
        ring.Find(firstKey).ShouldBe(first);

        Directory.Delete(Path.Combine(folder.Path, "now"));
        Directory.CreateSymbolicLink(Path.Combine(folder.Path, "now"), "two");
        clock.Advance(TimeSpan.FromSeconds(1));
        ring.Find(firstKey).ShouldBeNull();
        ring.Find(secondKey).ShouldBe(second);
    }

    [Fact]
    public void A_service_without_a_file_is_open_and_one_that_asks_for_keys_is_not()
    {
        new KeyRing(null, required: false, clock, NullLogger<KeyRing>.Instance).Closed.ShouldBeFalse();
        new KeyRing(file, required: true, clock, NullLogger<KeyRing>.Instance).Closed.ShouldBeTrue();
    }

    private static (ApiKey Kept, string Key) New(string name) =>
        ApiKey.Make(name, "default", KeyScopes.Submit | KeyScopes.Read, RandomSource.System, new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero));

    private Task AddAsync(ApiKey key) => file.AddAsync(key, TimeProvider.System, default);

    private KeyRing Ring() => new(file, required: false, clock, NullLogger<KeyRing>.Instance);
}
