using Spotter.Core;
using Spotter.Vision;

namespace Spotter.Tests.Vision;

public sealed class NativeLibrariesTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("spotter-native-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void The_folder_beside_the_program_comes_first()
    {
        var beside = Put("app/bin/native/libfoo.so.1");
        Put("app/native/node_modules/foo/lib/libfoo.so.1");

        Find("app/bin").ShouldBe(beside);
    }

    [Fact]
    public void Then_comes_the_nearest_folder_above_that_has_the_packages()
    {
        var near = Put("app/native/node_modules/foo/lib/libfoo.so.1");
        Put("native/node_modules/foo/lib/libfoo.so.1");

        Find("app/bin/Release").ShouldBe(near);
    }

    [Fact]
    public void What_is_nowhere_is_refused_with_where_it_was_looked_for_and_what_to_do()
    {
        var refusal = Should.Throw<SpotterException>(() => Find("app/bin"));

        refusal.Code.ShouldBe(ErrorCodes.NativeMissing);
        refusal.Message.ShouldContain("Foo is missing");
        refusal.Message.ShouldContain(Path.Combine(folder.FullName, "app/bin", "native"));
        refusal.Message.ShouldContain("npm ci --ignore-scripts");
    }

    private string Find(string program) =>
        NativeLibraries.Find(Directory.CreateDirectory(Path.Combine(folder.FullName, program)).FullName, "Foo", "foo/lib", "libfoo.so.*");

    private string Put(string path)
    {
        var file = Path.Combine(folder.FullName, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, "");
        return file;
    }
}
